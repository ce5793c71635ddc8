// The plain client of the auth scenarios: starts the proxy in front of the suite's server and speaks MCP through it, without any OAuth.
import { spawn } from 'node:child_process';
import { clean, flags, log, message, modern, revision, scenario } from './scenario.mjs';

const server = new URL(process.argv.at(-1));

// The target is the bare origin: the proxy learns the resource's path from the first request, as it has to.
function startProxy() {
  const [command, ...rest] = JSON.parse(process.env.PROXY_COMMAND);
  const child = spawn(command, [...rest, '--target-uri', server.origin, '--remote-auth', '--remote-auth-store', 'none', ...flags(), 'conformance'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.on('data', (data) => log(`${data}`));
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (data) => {
      log(`${data}`);
      text += data;
      const match = /on port (\d+) ->/.exec(text);
      if (match) {
        resolve({ child, url: `http://127.0.0.1:${match[1]}${server.pathname}` });
      }
    });
    child.on('exit', (code) => reject(new Error(`the proxy ended with ${code}`)));
  });
}

let session;

async function send(url, method, params = {}, isRequest = true) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(method === 'initialize' ? {} : { 'mcp-protocol-version': revision }),
      ...(modern ? { 'mcp-method': method, ...(params.name ? { 'mcp-name': params.name } : {}) } : {}),
      ...(session ? { 'mcp-session-id': session } : {}),
    },
    body: message(method, params, isRequest),
  });
  session = response.headers.get('mcp-session-id') ?? session;
  log(`client: ${method} -> ${response.status} ${(await response.text()).slice(0, 300)}\n`);
  return response.ok;
}

async function speak(url) {
  if (modern) {
    await send(url, 'server/discover');
  } else {
    const capabilities = { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'plain', version: '1' } };
    await send(url, 'initialize', capabilities);
    await send(url, 'notifications/initialized', {}, false);
  }
  let ok = await send(url, 'tools/list');
  ok = await send(url, 'tools/call', { name: 'test-tool', arguments: {} }) && ok;
  if (scenario === 'authorization-server-migration') {
    ok = await send(url, 'tools/list') && ok;
  }
  return ok;
}

const { child, url } = await startProxy();
let ok = false;
try {
  ok = await speak(url);
} finally {
  child.removeAllListeners('exit');
  child.kill('SIGKILL');
  clean();
}
process.exitCode = ok ? 0 : 1;
