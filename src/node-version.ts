/** Ends the process, with one clear line, on a Node that is too old. It would crash further on, in what it does not know. */
const OLDEST_NODE = [24, 7] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `mav needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. In a checkout, npx mav uses the right one.\n`,
  );
  process.exit(1);
}

export {};
