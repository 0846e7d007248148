/** What a check of `mav doctor` found. */
export interface Finding {
  /** What was looked at, in a word or two; stable. */
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'FAIL';
  /** The state that was found and, if the result is not `ok`, what to do. */
  readonly detail: string;
}

export function ok(check: string, detail: string): Finding {
  return { check, result: 'ok', detail };
}

export function warn(check: string, detail: string): Finding {
  return { check, result: 'warn', detail };
}

export function fail(check: string, detail: string): Finding {
  return { check, result: 'FAIL', detail };
}

/** Runs a check. Returns a failed finding if it throws. */
export function judge(name: string, detail: string, check: () => void): Finding {
  try {
    check();
    return ok(name, detail);
  } catch (error) {
    return fail(name, error instanceof Error ? error.message : 'failed');
  }
}
