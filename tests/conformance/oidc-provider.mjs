// Drives the command against oidc-provider; one line per check.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { clientKey, clientSecret, exchangeGrant, start } from './protected-upstream.mjs';

const patience = 30_000;
const shortLifetime = 4;
const [only, command, ...words] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'oidc-provider-'));
const upstream = await start();
const browser = new Browser();
const running = new Set();
let stores = 0;

/** One process of the command; what it says is kept. */
class Command {
  output = '';

  constructor(verb, flags, environment = {}) {
    const positional = verb === 'proxy' ? ['conformance'] : [];
    const args = [...words, verb, ...positional, ...flags];
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    running.add(this);
    this.process.stdout.on('data', (data) => { this.output += data; });
    this.process.stderr.on('data', (data) => { this.output += data; });
    this.ended = new Promise((resolve) => this.process.on('close', (code) => {
      running.delete(this);
      this.exitCode = code;
      resolve(code);
    }));
  }

  async says(pattern) {
    return until(() => pattern.exec(this.output), () => `${pattern} was not said:\n${this.output}`);
  }

  async ask(headers = {}) {
    const [, port] = await this.says(/on port (\d+) ->/);
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    const response = await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
    return { status: response.status, text: await response.text() };
  }

  /** Waits for an end by itself. */
  async end() {
    return until(() => this.exitCode !== undefined, () => `it did not end:\n${this.output}`).then(() => this.exitCode);
  }

  async stop(signal = 'SIGTERM') {
    this.process.kill(signal);
    return this.ended;
  }
}

async function until(find, complaint) {
  for (const end = Date.now() + patience; Date.now() < end;) {
    const found = find();
    if (found) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(complaint());
}

function expect(actual, wanted, what) {
  if (actual !== wanted) {
    throw new Error(`${what}: ${actual} where ${wanted} was expected`);
  }
}

function secretFile(name, text) {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const newStore = () => join(folder, `store-${++stores}`, 'credentials');
const flags = (store, ...more) => ['--target-uri', upstream.resource, '--remote-auth-store', store, '--remote-auth-callback-port', '0', ...more];
const proxy = (store, ...more) => new Command('proxy', ['--remote-auth', '--remote-auth-skip-browser', '--debug', ...flags(store, ...more)]);
const ask = async (instance, headers) => expect((await instance.ask(headers)).status, 200, 'status');
const url = /Please open this URL in your browser:\n(\S+)\s/g;

/** Plays the person each time that the command asks for one. */
async function signIn(instance, times = 1) {
  const found = await until(() => [...instance.output.matchAll(url)][times - 1], () => `no sign-in was asked for:\n${instance.output}`);
  const page = await browser.signIn(found[1]);
  if (!page.text.includes('Back again')) {
    throw new Error(`the sign-in ended at ${page.status} ${page.text.slice(0, 500)}`);
  }
}

async function withLifetime(seconds, act) {
  upstream.lifetime = seconds;
  try {
    await act();
  } finally {
    upstream.lifetime = 3600;
  }
}

/** Asks without a pause until so many renewals have been made; every request must be answered. */
async function askThrough(instances, renewals, grant) {
  const before = upstream.count(grant);
  while (upstream.count(grant) < before + renewals) {
    await Promise.all(instances.flatMap((instance) => [ask(instance), ask(instance)]));
  }
}

const nothingWentWrong = () => expect(upstream.events.find((event) => event.includes(' ')), undefined, 'fault at the server');

async function aPersonSignsInAndStays() {
  const store = newStore();
  const first = proxy(store);
  await signIn(first);
  await ask(first);
  expect(upstream.events.join(), 'registered,authorized,authorization_code', 'events');

  await first.stop('SIGKILL');
  const second = proxy(store);
  await ask(second);
  expect(upstream.count('authorized'), 1, 'sign-ins after a restart');
  await second.stop();
}

async function renewedAheadOfTheEnd() {
  await withLifetime(shortLifetime, async () => {
    const store = newStore();
    const first = proxy(store);
    await signIn(first);
    await askThrough([first], 3, 'refresh_token');
    await first.stop();

    await new Promise((resolve) => setTimeout(resolve, (shortLifetime + 1) * 1000));
    const second = proxy(store);
    await askThrough([second], 2, 'refresh_token');
    await second.stop();
    expect(upstream.count('authorized'), 1, 'sign-ins');
    nothingWentWrong();
  });
}

async function twoProcesses() {
  await withLifetime(shortLifetime, async () => {
    const store = newStore();
    const first = proxy(store);
    await signIn(first);
    await ask(first);
    const second = proxy(store);
    await askThrough([first, second], 4, 'refresh_token');
    await Promise.all([first.stop(), second.stop()]);
    expect(upstream.count('authorized'), 1, 'sign-ins');
    nothingWentWrong();
  });
}

async function aRevokedTokenIsReplaced() {
  const instance = proxy(newStore());
  await signIn(instance);
  await ask(instance);
  await upstream.revokeLastToken();
  await ask(instance);
  expect(upstream.count('refresh_token'), 1, 'renewals');
  expect(upstream.count('authorized'), 1, 'sign-ins');
  await instance.stop();
}

async function aLostGrantIsSignedInForAgain() {
  await withLifetime(20, async () => {
    const store = newStore();
    const first = proxy(store);
    await signIn(first);
    await ask(first);
    await upstream.loseGrant();
    await first.stop('SIGKILL');
    const second = proxy(store, '--remote-auth-timeout', '60s');
    const asked = ask(second);
    // The sign-in is younger than five minutes, but of another process, so a person may be asked at once.
    await signIn(second);
    await asked;
    expect(upstream.count('authorized'), 2, 'sign-ins');
    await second.stop();
  });
}

async function aDamagedStoreIsPutAside() {
  const store = newStore();
  const first = proxy(store);
  await signIn(first);
  await ask(first);
  await first.stop();
  const bytes = readFileSync(store);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(store, bytes);

  const second = proxy(store);
  await second.says(/is damaged\. It has been moved to/);
  await signIn(second);
  await ask(second);
  await second.stop();
}

async function logoutRevokes() {
  const store = newStore();
  const login = new Command('login', flags(store, '--remote-auth-skip-browser'));
  await signIn(login);
  expect(await login.end(), 0, 'exit code of login');
  const instance = proxy(store);
  await ask(instance);
  await instance.stop();
  const status = new Command('status', ['--remote-auth-store', store]);
  expect(await status.end(), 0, 'exit code of status');
  if (!status.output.includes(`${upstream.resource}: issuer ${upstream.origin}`)) {
    throw new Error(`status said ${status.output}`);
  }

  const logout = new Command('logout', flags(store));
  expect(await logout.end(), 0, 'exit code of logout');
  expect(logout.output, `mcpproxyfast: signed out of ${upstream.resource}\n`, 'output of logout');
  expect(await upstream.provider.AccessToken.find(upstream.lastToken), undefined, 'access token after logout');
  expect(upstream.count('grant revoked'), 1, 'revoked grants');
}

async function deviceCode() {
  const login = new Command('login', flags(newStore(), '--remote-auth-grant', 'device_code'));
  const [, code, page] = await login.says(/Enter the code (\S+) at this URL, on any machine:\n(\S+)\s/);
  await new Browser().enterCode(page, code);
  expect(await login.end(), 0, 'exit code of login');
  expect(upstream.count('urn:ietf:params:oauth:grant-type:device_code'), 1, 'device grants');
}

async function clientCredentials(...client) {
  await withLifetime(shortLifetime, async () => {
    const instance = proxy(newStore(), '--remote-auth-grant', 'client_credentials', ...client);
    await ask(instance);
    await askThrough([instance], 2, 'client_credentials');
    await instance.stop();
    nothingWentWrong();
  });
}

async function boundTokens() {
  await withLifetime(shortLifetime, async () => {
    const store = newStore();
    const first = proxy(store, '--remote-auth-dpop');
    await signIn(first);
    await ask(first);
    await askThrough([first], 1, 'refresh_token');
    await first.stop();
    const second = proxy(store, '--remote-auth-dpop');
    await askThrough([second], 1, 'refresh_token');
    await second.stop();
    expect(upstream.count('authorized'), 1, 'sign-ins');
  });
}

async function stepUp() {
  const instance = proxy(newStore());
  await signIn(instance);
  await ask(instance);
  const asked = ask(instance, { 'x-wants-scope': 'mcp:admin' });
  await signIn(instance, 2);
  await asked;
  const { scope } = await upstream.provider.AccessToken.find(upstream.lastToken);
  expect(scope.split(' ').filter((word) => word.startsWith('mcp:')).sort().join(), 'mcp:admin,mcp:tools', 'scopes');
  await instance.stop();
}

async function openId() {
  const client = ['--remote-auth-client-id', 'application', '--remote-auth-client-secret-file', secretFile('application', clientSecret)];
  const instance = proxy(newStore(), '--remote-auth-issuer', upstream.origin, '--remote-auth-scopes', 'openid,mcp:tools', ...client);
  await signIn(instance);
  await ask(instance);
  expect(upstream.count('registered'), 0, 'registrations');
  await instance.stop();
}

async function foreignResource() {
  const login = new Command('login', flags(newStore(), '--remote-auth-skip-browser', '--remote-auth-resource', 'https://other.example/mcp'));
  const found = await until(() => [...login.output.matchAll(url)][0], () => `no sign-in was asked for:\n${login.output}`);
  await browser.signIn(found[1]);
  expect(await login.end(), 1, 'exit code of login');
  await login.says(/refused the sign-in: invalid_target/);
}

const exchanging = (audience) => new Command('proxy', [
  '--target-uri', upstream.resource, '--debug', '--token-exchange-url', `${upstream.origin}/token`, '--token-exchange-audience', audience,
  '--token-exchange-client-id', 'exchanger', '--token-exchange-client-secret-file', secretFile('exchanger', clientSecret), '--token-exchange-scopes', 'mcp:tools',
]);

async function exchanged() {
  const instance = exchanging(upstream.resource);
  for (const machine of ['basic', 'other']) {
    const authorization = `Bearer ${await upstream.machineToken(machine)}`;
    const before = upstream.count(exchangeGrant);
    for (let i = 0; i < 5; i++) {
      await ask(instance, { authorization });
      expect(upstream.subjects.get(upstream.lastToken), machine, 'subject of the token at the resource');
    }
    expect(upstream.count(exchangeGrant) - before, 1, `exchanges for ${machine}`);
  }
  expect((await instance.ask()).status, 401, 'status without a token');
  expect((await instance.ask({ authorization: 'Bearer nobodys' })).status, 401, 'status with a token that is not known');
  await instance.stop();

  const elsewhere = exchanging('https://other.example/mcp');
  expect((await elsewhere.ask({ authorization: `Bearer ${await upstream.machineToken('basic')}` })).status, 502, 'status for another audience');
  await elsewhere.says(/invalid_target/);
  await elsewhere.stop();
}

const checks = {
  'authorization code, dynamic registration, restart': aPersonSignsInAndStays,
  'tokens that end are renewed ahead, also after a restart': renewedAheadOfTheEnd,
  'two processes on one store never use a refresh token twice': twoProcesses,
  'a revoked token is renewed and the request replayed': aRevokedTokenIsReplaced,
  'a lost grant leads to a new sign-in': aLostGrantIsSignedInForAgain,
  'a damaged store is put aside': aDamagedStoreIsPutAside,
  'login, status, logout with revocation': logoutRevokes,
  'device code': deviceCode,
  'client credentials, basic': () => clientCredentials('--remote-auth-client-id', 'basic', '--remote-auth-client-secret-file', secretFile('basic', clientSecret)),
  'client credentials, post': () => clientCredentials('--remote-auth-client-id', 'post', '--remote-auth-client-secret-file', secretFile('post', clientSecret)),
  'client credentials, private_key_jwt': () => clientCredentials('--remote-auth-client-id', 'key', '--remote-auth-client-key-file', secretFile('key.pem', clientKey)),
  'DPoP with nonces, also after a restart': boundTokens,
  'step-up to a further scope': stepUp,
  'OpenID Connect with a client registered beforehand': openId,
  'a resource of somebody else is refused': foreignResource,
  'the token of each caller is exchanged, once': exchanged,
};

let failed = 0;
const chosen = Object.entries(checks).filter(([name]) => name.includes(only));
for (const [name, check] of chosen) {
  upstream.events.length = 0;
  try {
    await check();
    console.log(`pass ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}: ${error.stack}\n     events: ${upstream.events.join(', ')}`);
  }
  for (const left of running) {
    console.log(left.output.replaceAll(/^/gm, '     '));
    await left.stop('SIGKILL');
  }
}
upstream.server.close();
upstream.server.closeAllConnections();
rmSync(folder, { recursive: true });
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
