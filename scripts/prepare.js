// Builds a checkout once its packages are installed. It is plain JavaScript, because it also runs on a Node that cannot run
// TypeScript, and says so: without the devDependencies npm uses any `node` that it finds. The script is called `postprepare`,
// which npm runs in a checkout just like `prepare`. With a script `prepare` npm would warn everyone who installs the package,
// although it would not run it.
if (process.features.typescript) {
  await import('./build.ts');
} else {
  console.error(
    `build: needs Node 24 or newer, and this is ${process.version}; the devDependency "node" brings one.`,
  );
  process.exitCode = 1;
}
