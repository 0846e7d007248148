/**
 * Which values the call under way may be given. If the owner is to be asked first, nothing of them is decrypted: the call
 * fails, and its failure names them all. The request thread asks the owner, and sends the call again.
 */
import { RequestError } from '../errors/request-error.ts';
import type { Call, NeededApproval, NeededSecret, SecretName } from '../messages.ts';
import { NEVER_ASKED } from './confirm.ts';

const NEEDS_APPROVAL = 'the owner has to approve this first';

/** Returns the name of a token; null if it is not known. */
type FindName = (id: string) => string | null;

/** A thread runs one call at a time. */
export class Approvals {
  #call: Pick<Call, 'approved' | 'confirm'> = {};
  readonly #needed = new Map<number, NeededSecret & { readonly fields: string[] }>();

  /** Runs a call. Throws NeedsApprovalError for everything that the call was not given. */
  run<T>(call: Call, findName: FindName, handle: () => T): T {
    this.#call = call;
    this.#needed.clear();
    try {
      const result = handle();
      if (this.#needed.size === 0) return result;
    } catch (error) {
      if (!(error instanceof NeedsApprovalError)) throw error;
    }
    const token = call.author === undefined ? null : findName(call.author.id);
    throw new NeedsApprovalError({ secrets: [...this.#needed.values()], ...(token !== null && { token }) });
  }

  /**
   * Throws NeedsApprovalError unless the call may have the value. `asks`: what the secret asks for, as stored. Whoever reads
   * many secrets goes on to the next.
   */
  demand({ id, name, environment }: SecretName & { readonly id: number }, field: string, asks: number): void {
    const { confirm = NEVER_ASKED, approved } = this.#call;
    if (asks === NEVER_ASKED && confirm === NEVER_ASKED) return;
    if (approved?.includes(id)) return;
    const known = this.#needed.get(id);
    if (known === undefined) this.#needed.set(id, { id, name, environment, fields: [field], asks });
    else known.fields.push(field);
    throw new NeedsApprovalError();
  }
}

export class NeedsApprovalError extends RequestError {
  constructor(approval: NeededApproval = { secrets: [] }) {
    super('not_approved', NEEDS_APPROVAL, { reason: 'needs_approval', approval });
  }
}
