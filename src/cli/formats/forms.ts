/** The forms in which commands print, as `-o` and "output" in config.json name them. */
import type { Form } from '../run/command.ts';
import { usageError } from '../run/failure.ts';

/** What a command's `--output` takes. */
interface Taken {
  readonly forms?: readonly Form[];
  readonly formInPipe?: Form;
}

interface Wishes {
  /** What `-o` says. */
  readonly given: string | undefined;
  /** What config.json says. */
  readonly configured: string | undefined;
  readonly isTerminal: boolean;
}

/** `option`: the command's `--output`, if it has one. Throws CliError that names the forms it takes. */
export function chooseForm(option: Taken | undefined, { given, configured, isTerminal }: Wishes): Form {
  const { forms = ['text'], formInPipe } = option ?? {};
  const [first = 'text'] = forms;
  if (option?.forms !== undefined && given !== undefined) return readForm(forms, given);
  // config.json is about lists: what else is printed has one form, and another only where it is asked for.
  if (formInPipe === undefined) return first;
  return forms.find((form) => form === configured) ?? (isTerminal ? first : formInPipe);
}

/**
 * By a command's usual form. What people read is a table where lists are and text elsewhere, and may be asked for by
 * either name everywhere; the Go program's name for dotenv is env.
 */
const OTHER_NAMES: { readonly [Usual in Form]?: Readonly<Record<string, Form>> } = {
  text: { table: 'text' },
  table: { text: 'table' },
  value: { table: 'value', text: 'value' },
  shell: { env: 'dotenv' },
  json: { env: 'dotenv' },
};

function readForm(forms: readonly Form[], given: string): Form {
  const typed = given.toLowerCase();
  const wanted = OTHER_NAMES[forms[0] ?? 'text']?.[typed] ?? typed;
  const form = forms.find((one) => one === wanted);
  if (form === undefined)
    throw usageError(`--output must be ${forms.slice(0, -1).join(', ')} or ${forms.at(-1)}`);
  return form;
}
