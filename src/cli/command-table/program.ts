/** Commands on the program itself. */
import type { CommandGroup } from '../run/command.ts';
import { textOutput } from './options.ts';

export const programCommands = (): CommandGroup => ({
  version: {
    group: 'Program',
    needsNoVault: true,
    description: 'Print the version',
    examples: ['mav version', 'mav --version'],
    options: { output: { ...textOutput, description: 'Form of the output (json: also Node and platform)' } },
    load: () => import('../commands/version.ts'),
  },
  completion: {
    group: 'Program',
    needsNoVault: true,
    arguments: '<shell>',
    description: 'Print a completion script for bash, zsh, fish or powershell',
    examples: [
      'mav completion bash > ~/.local/share/bash-completion/completions/mav',
      'mav completion fish > ~/.config/fish/completions/mav.fish',
    ],
    notes: [
      'Or, for bash in ~/.bashrc:  source <(mav completion bash)',
      'For zsh, in ~/.zshrc after compinit:  source <(mav completion zsh)',
      'For PowerShell, in $PROFILE:',
      '  mav completion powershell | Out-String | Invoke-Expression',
      'Names of secrets, environments, fields and tokens come from the running daemon. Without a daemon they are not completed.',
    ],
    options: {},
    load: () => import('../commands/completion.ts'),
  },
});
