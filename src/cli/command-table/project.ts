/** Commands on the file of a project. */
import type { CommandGroup } from '../run/command.ts';
import { env, force, textOutput } from './options.ts';

const environment = {
  ...env,
  description: 'Environment to work in (MAV_ENV; default: the one that mav.toml names)',
};

export const projectCommands = (): CommandGroup => ({
  'project check': {
    group: 'Projects',
    description: 'Say which secrets of the project are missing, or not of their type',
    examples: ['mav project check', 'mav project check --env prod -o json'],
    notes: [
      'Prints a line for each, with the command that sets it, and ends with 1 if there is one. It shows no value.',
    ],
    options: { env: environment, output: textOutput },
    load: () => import('../commands/project-check.ts'),
  },
  'project setup': {
    group: 'Projects',
    description: 'Store what the project needs and is missing: generate it, or ask for it',
    examples: ['mav project setup', 'mav project setup --env prod'],
    options: { env: environment },
    load: () => import('../commands/project-setup.ts'),
  },
  'project init': {
    group: 'Projects',
    needsNoVault: true,
    description: 'Make a mav.toml, empty or from the file of another program',
    examples: ['mav project init', 'mav project init --from .env.example'],
    notes: [
      'Takes the names of the variables from a dotenv file (.env, .env.example, .env.schema), fnox.toml or secretspec.toml, and no values. ' +
        'Adds mav.local.toml, which is for you alone, to .gitignore.',
    ],
    options: {
      from: { type: 'string', placeholder: 'FILE', description: 'Take the variables of this file' },
    },
    load: () => import('../commands/project-init.ts'),
  },
  'project template': {
    group: 'Projects',
    description: 'Print a .env.example for whoever works without mav',
    examples: ['mav project template', 'mav project template > .env.example'],
    options: { env: environment },
    load: () => import('../commands/project-template.ts'),
  },
  'project types': {
    group: 'Projects',
    arguments: '<language>',
    description: 'Print the types of the variables, for TypeScript (ts)',
    examples: ['mav project types ts', 'mav project types ts > env.d.ts'],
    options: { env: environment },
    load: () => import('../commands/project-types.ts'),
  },
  'project files': {
    group: 'Projects',
    description: 'List the files that decide, the nearest first',
    examples: ['mav project files', 'mav project files -o json'],
    options: { env: environment, output: textOutput },
    load: () => import('../commands/project-files.ts'),
  },
  'project schema': {
    group: 'Projects',
    needsNoVault: true,
    description: 'Print the JSON Schema of mav.toml, for editors',
    examples: ['mav project schema', 'mav project schema > mav.schema.json'],
    options: {},
    load: () => import('../commands/project-schema.ts'),
  },
  allow: {
    group: 'Projects',
    description: 'Let the project name protected environments, for as long as its files stay as they are',
    examples: ['mav allow', 'mav allow --remove'],
    notes: [
      'Environments are protected by "protected": ["prod"] in config.json, in the folder of the vault. The file of a cloned repository ' +
        'cannot change that.',
    ],
    options: {
      env: environment,
      force,
      remove: { type: 'boolean', description: 'Do not allow it any more' },
    },
    load: () => import('../commands/allow.ts'),
  },
});
