/** How `mav project setup` makes a value that a project asks for: `hex:32` and its kin. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Client } from '../../client/client.ts';

interface Generator {
  readonly least: number;
  readonly most: number;
  readonly make: (client: Client, size: number) => Promise<string> | string;
}

/** A size follows the name: bytes before they are encoded, characters, or words. */
const SIZED: Readonly<Record<string, Generator>> = {
  hex: { least: 8, most: 1_024, make: (_client, bytes) => randomBytes(bytes).toString('hex') },
  base64: { least: 8, most: 1_024, make: (_client, bytes) => randomBytes(bytes).toString('base64') },
  password: {
    least: 8,
    most: 4_096,
    make: async (client, length) => (await client.generate({ length })).password,
  },
  passphrase: {
    least: 3,
    most: 64,
    make: async (client, words) => (await client.generate({ words })).password,
  },
};

export const GENERATORS = `${Object.entries(SIZED)
  .map(([name, { least, most }]) => `${name}:N (${least} to ${most})`)
  .join(', ')}, or uuid`;

/** Returns null if there is no such generator. */
function findGenerator(text: string): ((client: Client) => Promise<string> | string) | null {
  if (text === 'uuid') return () => randomUUID();
  const [, name = '', digits = ''] = /^([a-z0-9]+):(\d{1,4})$/.exec(text) ?? [];
  const sized = Object.hasOwn(SIZED, name) ? SIZED[name] : undefined;
  const size = Number(digits);
  if (sized === undefined || size < sized.least || size > sized.most) return null;
  return (client) => sized.make(client, size);
}

export function isGenerator(text: string): boolean {
  return findGenerator(text) !== null;
}

/** `generator` is one. */
export async function generateValue(client: Client, generator: string): Promise<string> {
  const make = findGenerator(generator);
  if (make === null) throw new RangeError('no such generator');
  return make(client);
}
