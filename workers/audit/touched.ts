/** Which values a call was given, and which token it was about, by name. Holds no value. */
import type { SecretName } from '../messages.ts';

/** What was read of one version of a secret. */
export interface Disclosure extends SecretName {
  readonly id: number;
  /** As clients count it. */
  readonly version: number;
  /** Names of fields. The empty name stands for the secret's own value. */
  readonly fields: string[];
}

export interface TouchedToken {
  readonly id: string;
  readonly name: string;
}

/** `changed`: nothing, for calls that only read. */
interface Taken {
  readonly read: readonly Disclosure[];
  readonly changed: readonly never[];
  readonly token: TouchedToken | null;
}

const NOTHING: readonly never[] = [];

/** Collects what the call under way touches: a thread runs one at a time. */
export class Touched {
  #read: Disclosure[] = [];
  #token: TouchedToken | null = null;

  noteRead(
    { id, name, environment, revision }: SecretName & { id: number; revision: number },
    field: string,
  ): void {
    const last = this.#read.at(-1);
    if (last !== undefined && last.id === id && last.version === revision) last.fields.push(field);
    else this.#read.push({ id, name, environment, version: revision, fields: [field] });
  }

  noteToken({ id, name }: TouchedToken): void {
    this.#token = { id, name };
  }

  /** Returns what was noted since the last call. */
  take(): Taken {
    const taken = { read: this.#read, changed: NOTHING, token: this.#token };
    if (taken.read.length > 0) this.#read = [];
    this.#token = null;
    return taken;
  }
}
