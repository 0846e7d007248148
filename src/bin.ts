/**
 * The first lines that Node runs, for mav.sh. They import nothing statically: an old Node would crash in a library, before it
 * came to the sentence that says what is wrong.
 */
const OLDEST_NODE = [24, 7] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `mav needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. In a checkout, npx mav uses the right one.\n`,
  );
  process.exitCode = 1;
} else {
  const { main } = await import('./cli/main.ts');
  const exitCode = await main(process.argv.slice(2), process.env);
  // It is set already if the output was lost.
  process.exitCode ||= exitCode;
}

export {};
