// npm's `prepare`. Plain JavaScript, because its one task besides starting the build is to tell a Node that
// cannot run TypeScript apart: with the devDependencies left out, npm runs this on whatever `node` there is.
if (process.features.typescript) {
  await import('./build.ts');
} else {
  console.error(
    `build: needs Node 24 or newer, and this is ${process.version}; the devDependency "node" brings one.`,
  );
  process.exitCode = 1;
}
