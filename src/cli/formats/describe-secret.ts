/** How a command's messages name a secret. */
import { escapeControls } from '../../text/escape-controls.ts';

/** `db-password in prod`; the default environment has no name. */
export function describeSecret(name: string, environment: string | undefined, field?: string): string {
  const place = environment ? ` in ${environment}` : '';
  return escapeControls(field === undefined ? `${name}${place}` : `the field ${field} of ${name}${place}`);
}

const DEFAULT_ENVIRONMENT = '(default)';

/** Returns an environment's name for people: the default environment has none of its own. */
export function showEnvironment(environment: string): string {
  if (environment === '') return DEFAULT_ENVIRONMENT;
  return environment === DEFAULT_ENVIRONMENT ? `"${environment}"` : environment;
}
