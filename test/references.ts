/** References, templates and the names of variables, read and written. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { findShell } from '../src/cli/formats/shell-quote.ts';
import { formatReference, parseReference } from '../src/cli/input/reference.ts';
import { CliError, EXIT } from '../src/cli/run/failure.ts';
import { fillSlots, findSlots } from '../src/cli/variables/template.ts';
import { layVariables, nameVariable } from '../src/cli/variables/variables.ts';

t.setTimeout(550_000);

/** Whether it throws wrong usage, and with such a message. */
function isRefused(use: () => unknown, message = /./): boolean {
  try {
    use();
    return false;
  } catch (error) {
    return error instanceof CliError && error.exitCode === EXIT.usage && message.test(error.message);
  }
}

t.test('names of variables > secrets and fields > by one rule', (t) => {
  const name = (secret: string, field?: string, prefix = '') => {
    const source = { environment: '', name: secret, ...(field === undefined ? {} : { field }) };
    const named = nameVariable(source, prefix);
    return 'why' in named ? named.why : named.name;
  };
  t.equal(name('db-password'), 'DB_PASSWORD');
  t.equal(name('db-creds', 'host'), 'DB_CREDS_HOST');
  t.equal(name('0x10'), '_0X10');
  t.equal(name('0x10', undefined, 'my_'), 'my_0X10');
  t.equal(name('Straße🔑/x.y'), 'STRA_E__X_Y');
  for (const secret of ['ключ', '_', '---']) t.match(name(secret), /no ASCII letter or digit/, secret);
  t.match(nameVariable({ environment: '', name: 'node-options' }, 'npm_config_'), { why: /decides/ });
  t.match(name('db', 'ключ'), /no ASCII letter or digit/);
  const FOUND =
    `npm-config-node-options viminit exinit mailpath prompt goflags lua-init lua-init-5-4 _java_options
    java-tool-options jdk-java-options openssl-conf dotnet-startup-hooks rustc-wrapper kubeconfig node-extra-ca-certs
    node-tls-reject-unauthorized sslkeylogfile glibc-tunables mav-token`.split(/\s+/);
  for (const secret of ['path', 'LD_PRELOAD', 'node.options', 'git-ssh-command', 'bash_env', 'ifs', ...FOUND])
    t.match(name(secret), /decides how programs run/, secret);
  const stored = (secret: string, environment: string) => ({
    source: { environment, name: secret },
    value: environment,
    unacceptedFrom: null,
    expiresAt: null,
  });
  const selection = { prefix: '', isNamed: false, maxSize: Number.POSITIVE_INFINITY };
  const layers = [[stored('b', 'x'), stored('a', 'x')], [stored('b', 'y')]];
  t.same(
    layVariables(layers, selection).variables.map((variable) => `${variable.name}=${variable.value}`),
    ['A=x', 'B=y'],
  );
  const across = [[stored('a-b', 'x')], [stored('a.b', 'y')]];
  t.ok(isRefused(() => layVariables(across, selection)));
  t.equal(findShell('zsh'), 'bash');
  t.ok(isRefused(() => findShell('constructor')));
  t.end();
});

t.test('references > written and read > are the same', (t) => {
  const part = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
  const reference = fc.record(
    { environment: fc.oneof(fc.constant(''), part), name: part, field: part },
    { requiredKeys: ['environment', 'name'] },
  );
  fc.assert(
    fc.property(reference, (one) => isDeepStrictEqual(parseReference(formatReference(one)), { ...one })),
    { numRuns: 200 },
  );
  for (const text of [
    'mav://',
    'mav://x',
    'mav:///',
    'mav:///#f',
    'mav:///n#',
    'mav:///%',
    'mav:///%00',
    'mav:///%ff',
    'MAV:///n',
    ' mav:///n',
    'mav://e#f/n',
  ])
    t.equal(parseReference(text), null, text);
  t.end();
});

t.test('templates > any bytes without a reference > stay as they are', (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const template = Buffer.from(bytes);
      return fillSlots(template, findSlots(template, 't'), []).equals(template);
    }),
  );
  t.ok(isRefused(() => findSlots(Buffer.from('{{ mav:///\xff }}', 'latin1'), 't')));
  t.end();
});
