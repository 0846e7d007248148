/** The JSON Schema of mav.toml (draft 2020-12). Its members are those that declarations.ts reads. */
import { VARIABLE_NAME } from '../formats/shell-quote.ts';
import { type Declaration, MEMBER_NAMES } from './declarations.ts';

interface Property {
  readonly type: 'string' | 'boolean';
  readonly description: string;
}

const MEMBERS: Readonly<Record<keyof Declaration, Property>> = {
  ref: {
    type: 'string',
    description:
      'Where the value is stored: mav://ENV/NAME#FIELD, or NAME#FIELD in the environment that is chosen',
  },
  composed: {
    type: 'string',
    description:
      'A text with names of other variables of the project in it, each in braces after a dollar sign',
  },
  default: {
    type: 'string',
    description: 'The value if none is stored. It stands in the file, so it is no secret',
  },
  required: { type: 'boolean', description: 'Whether a program needs it; true unless there is a default' },
  description: { type: 'string', description: 'What it is, for people' },
  generate: {
    type: 'string',
    description: 'How mav project setup makes it: hex:32, base64:32, password:24, passphrase:6, uuid',
  },
  as_file: {
    type: 'boolean',
    description: 'Whether the variable has the path of a private file with the value',
  },
  type: { type: 'string', description: 'url, int, port, bool, json, or regex:PATTERN' },
};

const DECLARATIONS = { $ref: '#/$defs/declarations' };

/** The members at the top of a file. */
const PROPERTIES = {
  version: { const: 1 },
  environment: {
    type: 'string',
    description: 'The environment to work in, unless --env or MAV_ENV names one',
  },
  extends: {
    description: 'Other files, from the folder of this one',
    anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  },
  root: { type: 'boolean', description: 'Whether files in the folders above are left alone' },
  secrets: DECLARATIONS,
  env: {
    type: 'object',
    description: 'What is on top in an environment',
    additionalProperties: {
      type: 'object',
      additionalProperties: false,
      properties: { secrets: DECLARATIONS },
    },
  },
};

const DEFINITIONS = {
  declarations: {
    type: 'object',
    propertyNames: { pattern: VARIABLE_NAME.source },
    // A lone text is a reference.
    additionalProperties: { anyOf: [{ type: 'string' }, { $ref: '#/$defs/declaration' }] },
  },
  declaration: {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(MEMBER_NAMES.map((name) => [name, MEMBERS[name]])),
  },
};

/** Returns JSON. */
export function formatSchema(): string {
  return JSON.stringify({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'mav.toml',
    description: 'The secrets that a project needs, by reference',
    type: 'object',
    required: ['version'],
    additionalProperties: false,
    properties: PROPERTIES,
    $defs: DEFINITIONS,
  });
}
