// Runs each auth scenario of the suite and prints one line per scenario and revision.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, client, only, ...proxy] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const suite = join(here, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const results = join(folder, 'results');

const both = ['metadata-default', 'metadata-var1', 'metadata-var2', 'metadata-var3', 'basic-cimd', 'scope-from-www-authenticate',
  'scope-from-scopes-supported', 'scope-omitted-when-undefined', 'scope-step-up', 'scope-retry-limit', 'token-endpoint-auth-basic',
  'token-endpoint-auth-post', 'token-endpoint-auth-none', 'pre-registration'];
const newest = ['resource-mismatch', 'offline-access-scope', 'offline-access-not-supported', 'authorization-server-migration', 'iss-supported',
  'iss-not-advertised', 'iss-supported-missing', 'iss-wrong-issuer', 'iss-unexpected', 'iss-normalized', 'metadata-issuer-mismatch'];
const extensions = ['client-credentials-basic', 'client-credentials-jwt', 'enterprise-managed-authorization', 'wif-jwt-bearer', 'dpop', 'dpop-nonce'];
const oldest = ['2025-03-26-oauth-metadata-backcompat', '2025-03-26-oauth-endpoint-fallback'];
const runs = [
  ...both.map((name) => [name, '2025-11-25']),
  ...[...both, ...newest].map((name) => [name, '2026-07-28']),
  ...oldest.map((name) => [name, '2025-03-26']),
  ...extensions.map((name) => [name, '2026-07-28']),
].filter(([name, revision]) => !only || `${name}@${revision}`.includes(only));

rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

// What opens a URL for the proxy: one GET that follows redirects, as the suite's servers need no person.
const browser = join(folder, 'browser.mjs');
writeFileSync(browser, `#!${process.execPath}\nawait fetch(process.argv[2]).then((r) => r.text(), () => {});\n`, { mode: 0o755 });

function run(name, revision) {
  const output = join(results, `${revision}-${name}`);
  const command = `${process.execPath} ${join(here, client)}`;
  const extension = extensions.includes(name) ? [] : ['--spec-version', revision];
  const child = spawn(process.execPath, [suite, 'client', '--scenario', `auth/${name}`, ...extension, '--command', command, '-o', output, '--timeout', '60000'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, BROWSER: browser, PROXY_COMMAND: JSON.stringify(proxy), CLIENT_LOG: `${output}.log`, MCP_REVISION: revision },
  });
  let text = '';
  child.stdout.on('data', (data) => { text += data; });
  child.stderr.on('data', (data) => { text += data; });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text, checks: read(output) })));
}

function read(output) {
  try {
    const file = readdirSync(output, { recursive: true }).find((entry) => entry.endsWith('checks.json'));
    return JSON.parse(readFileSync(join(output, file), 'utf8'));
  } catch {
    return []; // The suite wrote nothing: counted as a failure below.
  }
}

let failed = 0;
for (const [name, revision] of runs) {
  const { text, checks } = await run(name, revision);
  const bad = checks.filter((check) => check.status === 'FAILURE' || check.status === 'WARNING');
  const passed = checks.some((check) => check.status === 'SUCCESS') && bad.length === 0;
  failed += passed ? 0 : 1;
  console.log(`${passed ? 'pass' : 'FAIL'} ${revision} ${name}`);
  for (const check of bad) {
    console.log(`     ${check.status} ${check.id}: ${check.errorMessage ?? check.description}`);
  }
  if (checks.length === 0) {
    console.log(text.slice(-2000));
  }
}
console.log(`${runs.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
