/** Loads node:ffi, which Node has from 26.1 on. It is experimental. */
type Ffi = typeof import('node:ffi');

/** Returns null where Node has no node:ffi, or does not permit it. */
export function loadFfi(): Ffi | null {
  // The user need not read that node:ffi is experimental.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    const ffi: Ffi | undefined = process.getBuiltinModule('node:ffi');
    return ffi ?? null;
  } catch {
    return null;
  } finally {
    process.emitWarning = emitWarning;
  }
}
