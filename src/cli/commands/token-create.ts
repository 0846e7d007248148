/** `mav token create`: a token for a client of the API. */

import type { Client } from '../../client/client.ts';
import type { CreatedToken, TokenLimits, TokenScope } from '../../client/types.ts';
import { readConfirm } from '../input/terms.ts';
import type { Input, Run } from '../run/command.ts';
import { CliError, EXIT, usageError } from '../run/failure.ts';
import { describeConfirm, describeExpiry, describeLimits } from '../tokens/describe-grant.ts';
import { withVault } from '../vault/access.ts';

type Wanted = Parameters<Client['createToken']>[0];

export const run: Run = async (input) => {
  const { context } = input;
  const wanted = readToken(input);
  context.requireOutput();
  const { created, reach } = await withVault(input, async (client) => {
    const made = await client.createToken(wanted);
    return { created: made, reach: await countReach(client, made) };
  });
  if (input.output === 'json') context.printJson(JSON.stringify(created));
  else {
    context.print(created.token);
    if (!(await context.flushed())) throw explainLost(created.id);
    context.say(`Token ${created.id}, ${describeExpiry(created.expires_at)}. It is shown this once.`);
    if (created.max_uses !== null)
      context.say(`It may make ${created.max_uses === 1 ? 'one request' : `${created.max_uses} requests`}.`);
    const asked = describeConfirm(created.confirm);
    if (asked !== null) context.say(`You are asked ${asked} before it reads a value: mav approvals`);
    for (const line of describeLimits(created.limits)) context.say(`It reaches only: ${line}.`);
  }
  if (reach === 0) context.say('No secret that exists now matches its limits.');
  return EXIT.done;
};

/** How many secrets a limited token can read now; null for one that has no limits, may not ask, or would lose a use. */
async function countReach(client: Client, made: CreatedToken): Promise<number | null> {
  const { token, limits, scopes, max_uses: maxUses } = made;
  const mayRead = scopes.includes('read') || scopes.includes('admin');
  if (limits.length === 0 || !mayRead || maxUses !== null) return null;
  try {
    return (await client.withToken(token).info()).secret_count;
  } catch {
    // It is not valid yet, for instance. The token is made all the same.
    return null;
  }
}

/** What `--preset` gives where no other flag says so. */
const PRESETS = {
  /** A pipeline: reads what it deploys, and is renewed every quarter. */
  ci: { scopes: ['read'], expiresIn: '90d' },
  /** A program that acts for somebody: reads for a day's work. */
  agent: { scopes: ['read'], expiresIn: '8h' },
} as const satisfies Readonly<Record<string, Pick<Wanted, 'scopes' | 'expiresIn'>>>;

/** Throws CliError. Which scopes there are is for the vault to say. */
function readToken(input: Input): Wanted {
  const { text, flag } = input;
  const [name, notBefore] = [text('name'), text('not-before')];
  const maxUses = readMaxUses(text('max-uses'));
  const preset = readPreset(text('preset'));
  const confirm = readConfirm(input);
  const limits = readLimits(input);
  const scopes = readList(input, 'scope') ?? preset?.scopes;
  const expiresIn = text('expires') ?? preset?.expiresIn;
  if (name === undefined) throw usageError('say what the token is for: --name NAME');
  if (scopes === undefined) throw usageError('say what the token permits: --scope read,write,generate,admin');
  if (preset !== null && Object.keys(limits).length === 0)
    throw usageError('a preset needs limits: --environments LIST, or --names GLOB');
  return {
    name,
    scopes: [...new Set(scopes)] as TokenScope[],
    limits,
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(maxUses === undefined ? {} : { maxUses }),
    ...(flag('trusted') ? { trusted: true } : {}),
    ...(confirm === undefined ? {} : { confirm }),
  };
}

function readMaxUses(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(given)) throw usageError('--max-uses must be a whole number from 1');
  return Number(given);
}

function readPreset(given: string | undefined): (typeof PRESETS)[keyof typeof PRESETS] | null {
  if (given === undefined) return null;
  if (!Object.hasOwn(PRESETS, given))
    throw usageError(`--preset must be one of ${Object.keys(PRESETS).join(', ')}`);
  return PRESETS[given as keyof typeof PRESETS];
}

function readLimits(input: Input): TokenLimits {
  const [environments, names, fields] = ['environments', 'names', 'fields'].map((name) =>
    readList(input, name),
  );
  return {
    ...(environments === undefined ? {} : { environments }),
    ...(names === undefined ? {} : { names }),
    // In a list a field without a name cannot be seen, so the value itself is called by this word.
    ...(fields === undefined ? {} : { fields: fields.map((field) => (field === OWN_VALUE ? '' : field)) }),
  };
}

const OWN_VALUE = '@value';

/** Returns the parts of an option that takes lists and may be repeated; undefined if it is not given. */
function readList({ list }: Input, name: string): string[] | undefined {
  const given = list(name);
  if (given.length === 0) return undefined;
  return given.flatMap((part) => part.split(',')).map((part) => part.trim());
}

function explainLost(id: string): CliError {
  return new CliError(
    EXIT.failed,
    `the token ${id} is made, and was lost on the way: mav token revoke ${id}`,
  );
}
