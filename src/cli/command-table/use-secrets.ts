/** Commands that hand secrets to programs. */
import type { CommandGroup } from '../run/command.ts';
import { output, reason, reveal, variableOptions, withoutAliases } from './options.ts';

export const useCommands = (): CommandGroup => ({
  exec: {
    group: 'Use them',
    aliases: ['run'],
    arguments: '<command> [...args]',
    passesThrough: true,
    description: 'Run a program with secrets as environment variables',
    examples: ['mav exec --env prod -- ./deploy.sh', 'mav exec --env-file .env.mav -- npm start'],
    notes: [
      'The secret db-password becomes DB_PASSWORD, and the field host of db becomes DB_HOST. Variables of --env replace ' +
        'those of the default environment with the same name. Two secrets that would share a variable are an error. ' +
        'A secret that cannot be a variable is left out with a note; if --only or the env file names it, it is an error. ' +
        "mav becomes the program, so process id, signals, standard input and exit code are the program's own.",
    ],
    options: variableOptions,
    load: () => import('../commands/exec.ts'),
  },
  watch: {
    group: 'Use them',
    arguments: '[command] [...args]',
    passesThrough: true,
    description: 'Run a program with secrets, and again when one of them changes',
    examples: ['mav watch --env dev -- npm start', 'mav watch'],
    notes: [
      'The variables are those of mav exec, and so are the options. When a secret that the program uses changes, it gets ' +
        'SIGTERM, and after --grace SIGKILL, with all that it has started; then it runs again with the new values. If it ends ' +
        'by itself, so does mav, with its exit code.',
      'Without a program, each change is printed as it comes: when, what, and by whom; no values. Both need a daemon (mav serve), ' +
        'and go on when it is started again.',
    ],
    options: {
      ...variableOptions,
      grace: {
        type: 'string',
        placeholder: 'TIME',
        description: 'How long the program may take to end (10s)',
      },
      output: {
        ...output,
        placeholder: 'table|jsonl',
        forms: ['table', 'jsonl'],
        formInPipe: 'jsonl',
        description: 'Without a program: form of the output (table on a terminal, else jsonl)',
      },
    },
    load: () => import('../commands/watch.ts'),
  },
  env: {
    group: 'Use them',
    description: 'Print secrets as environment variables for a shell to evaluate',
    examples: ['eval "$(mav env --env prod)"', 'mav env --shell fish | source'],
    notes: [
      'The variables are the same as those of mav exec. Prefer exec: it keeps them out of the shell and its other programs.',
    ],
    options: {
      ...variableOptions,
      shell: {
        type: 'string',
        ignoresCase: true,
        placeholder: 'SHELL',
        description: 'bash (default; also for sh, dash and zsh), fish or pwsh',
      },
      output: {
        ...output,
        placeholder: 'shell|dotenv|docker|json',
        forms: ['shell', 'dotenv', 'docker', 'json'],
        description: 'Form of the output (shell)',
      },
      reveal,
    },
    load: () => import('../commands/env.ts'),
  },
  inject: {
    group: 'Use them',
    description: 'Fill a template: {{ mav://ENV/NAME#FIELD }} becomes the value',
    examples: ['mav inject -i app.conf.tpl -o app.conf', "echo 'token: {{ mav:///api-token }}' | mav inject"],
    notes: [
      'An empty ENV is the default environment. Without #FIELD the value of the secret itself is used. Special ' +
        'characters in names are percent-encoded. Everything else in the template stays as it is, byte for byte.',
    ],
    options: {
      in: {
        type: 'string',
        short: 'i',
        placeholder: 'TEMPLATE',
        description: 'Template file (- or absent: standard input)',
      },
      output: {
        ...withoutAliases(output),
        placeholder: 'FILE',
        description: 'File to write, readable only by you (- or absent: standard output)',
      },
      reason,
      reveal,
    },
    load: () => import('../commands/inject.ts'),
  },
});
