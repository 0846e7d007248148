/** The options that several commands have, and those of every command. */
import type { Command, Option, Options } from '../run/command.ts';

export const env: Option = {
  type: 'string',
  short: 'e',
  placeholder: 'ENV',
  description: 'Environment (MAV_ENV; default: the one without a name)',
};

export const force: Option = { type: 'boolean', short: 'f', description: 'Do not ask' };

export const output: Option = {
  type: 'string',
  short: 'o',
  aliases: ['format'],
  description: 'Form of the output',
};

export const listOutput: Option = {
  ...output,
  placeholder: 'table|json|plain|names',
  forms: ['table', 'json', 'plain', 'names'],
  formInPipe: 'json',
  description: 'Form of the output (table on a terminal, else json)',
};

export const textOutput: Option = {
  ...output,
  placeholder: 'text|json',
  forms: ['text', 'json'],
  description: 'Form of the output (text)',
};

const passphraseFile: Option = {
  type: 'string',
  placeholder: 'PATH',
  description: "File with the vault's passphrase",
};

/** Options of every command. */
export const commonOptions: Options = {
  home: { type: 'string', placeholder: 'PATH', description: 'Folder of the vault (MAV_HOME)' },
  vault: {
    type: 'string',
    placeholder: 'NAME',
    description: 'The vault of this name (MAV_VAULT); default: the one without',
  },
  socket: { type: 'string', placeholder: 'PATH', description: 'Socket of the daemon (MAV_SOCKET)' },
  'passphrase-file': passphraseFile,
  quiet: { type: 'boolean', short: 'q', description: 'Print only data and what is wrong' },
  'no-input': { type: 'boolean', description: 'Never ask; fail instead' },
  'no-color': { type: 'boolean', description: 'No colours (NO_COLOR)' },
};

const help: Option = {
  type: 'boolean',
  short: 'h',
  hidden: true,
  description: 'Show this help',
};

/** All options of a command. A command that prints no data accepts `-o` too, because every command of other programs does. */
export function optionsOf({ options }: Command): Options {
  const unused = Object.hasOwn(options, 'output') ? {} : { output: { ...output, hidden: true } };
  return { ...options, ...commonOptions, ...unused, help };
}

export const reveal: Option = { type: 'boolean', description: 'Show secrets on the screen' };

export const confirm: Option = {
  type: 'string',
  ignoresCase: true,
  placeholder: 'WHEN',
  description: 'Ask you before a value is read: always, session (once for a program) or never',
};

/** What the owner is shown if a secret or token asks for an approval, and what the audit log says. */
export const reason: Option = {
  type: 'string',
  placeholder: 'TEXT',
  description: 'What it is for, shown to the owner (MAV_PURPOSE)',
};

/** Options that choose which secrets become variables, and what the variables are called. */
export const variableOptions = {
  env: { ...env, description: 'Add this environment on top of the default one (MAV_ENV)' },
  only: {
    type: 'string',
    placeholder: 'NAMES',
    description: 'Only these secrets, separated by commas; may be repeated',
    repeatable: true,
  },
  except: {
    type: 'string',
    placeholder: 'NAMES',
    description: 'All secrets but these; may be repeated',
    repeatable: true,
  },
  filter: {
    type: 'string',
    short: 'f',
    placeholder: 'TEXT',
    description: 'Only secrets whose names contain this (upper or lower case)',
  },
  prefix: { type: 'string', placeholder: 'TEXT', description: 'Put this before each variable name' },
  'allow-empty': { type: 'boolean', description: 'Go on if the environment holds nothing' },
  'env-file': {
    type: 'string',
    placeholder: 'FILE',
    description: 'Use only the variables of this file; a value may be mav://ENV/NAME#FIELD',
  },
  'no-project': { type: 'boolean', description: 'Leave mav.toml, the file of a project, alone' },
  reason,
} satisfies Options;

/** The option without its other names, for a command in which these mean something else. */
export function withoutAliases({ aliases: _, ...option }: Option): Option {
  return option;
}

export const newPassphraseFile: Options = {
  'new-passphrase-file': {
    type: 'string',
    placeholder: 'PATH',
    description: 'File with the new passphrase (default: asked for)',
  },
};
