// Builds a checkout once its packages are installed. Plain JavaScript, because its one task besides starting the build
// is to tell a Node that cannot run TypeScript apart: with the devDependencies left out, npm runs this on whatever
// `node` there is. npm runs `postprepare` in a checkout, as it does `prepare`; but it warns whoever installs the packed
// package of a `prepare` in it, though it would not run that.
if (process.features.typescript) {
  await import('./build.ts');
} else {
  console.error(
    `build: needs Node 24 or newer, and this is ${process.version}; the devDependency "node" brings one.`,
  );
  process.exitCode = 1;
}
