/** What `mav exec` and `mav env` say of secrets that tokens wrote and the owner has not accepted. */

import { describeSecret } from '../formats/describe-secret.ts';
import { quoteWord } from '../formats/shell-quote.ts';
import type { Unaccepted } from './variables.ts';

/** One line for each environment, with the command that accepts what was left out there. */
export function describeUnaccepted(unaccepted: readonly Unaccepted[]): string {
  const byEnvironment = Map.groupBy(unaccepted, ({ source }) => source.environment ?? '');
  return [...byEnvironment].map(([environment, some]) => describeSome(environment, some)).join('\n');
}

function describeSome(environment: string, some: readonly Unaccepted[]): string {
  const byName = new Map(some.map(({ source, writer }) => [source.name, writer]));
  const what = [...byName].map(
    ([name, writer]) => `${describeSecret(name, environment)} (${describeWriter(writer)})`,
  );
  const names = [...byName.keys()].map(quoteWord).join(' ');
  const place = environment === '' ? '' : ` --env ${quoteWord(environment)}`;
  return `Note: left out, because you neither wrote nor accepted it: ${what.join(', ')}; look at it, then: mav accept ${names}${place}`;
}

/** Where a token wrote a part of an entry, the owner may have written another one since. */
function describeWriter(writer: string): string {
  return writer === 'session' ? 'a part of it is a token\u2019s' : `by the token ${writer}`;
}
