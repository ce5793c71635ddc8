// The plain client of the auth scenarios: starts the proxy in front of the suite's server and speaks MCP through it, without any OAuth.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const server = new URL(process.argv.at(-1));
const scenario = process.env.MCP_CONFORMANCE_SCENARIO.replace('auth/', '');
const revision = process.env.MCP_REVISION;
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const secrets = mkdtempSync(join(tmpdir(), 'conformance-'));
const log = (text) => appendFileSync(process.env.CLIENT_LOG, text);

function secretFile(name, text) {
  const path = join(secrets, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function flags() {
  const id = context.client_id ? ['--remote-auth-client-id', context.client_id] : [];
  const secret = context.client_secret ? ['--remote-auth-client-secret-file', secretFile('secret', context.client_secret)] : [];
  switch (scenario) {
    case 'basic-cimd':
      return ['--remote-auth-client-metadata-url', 'https://conformance-test.local/client-metadata.json'];
    case 'client-credentials-basic':
      return ['--remote-auth-grant', 'client_credentials', ...id, ...secret];
    case 'client-credentials-jwt':
      return ['--remote-auth-grant', 'client_credentials', ...id, '--remote-auth-client-key-file', secretFile('key.pem', context.private_key_pem)];
    case 'wif-jwt-bearer':
      return ['--remote-auth-grant', 'jwt-bearer', ...id, '--remote-auth-assertion-file', secretFile('assertion', context.valid_jwt)];
    case 'enterprise-managed-authorization':
      return ['--remote-auth-grant', 'id-jag', ...id, ...secret, '--remote-auth-idp-token-url', context.idp_token_endpoint,
        '--remote-auth-idp-client-id', context.idp_client_id, '--remote-auth-id-token-file', secretFile('id-token', context.idp_id_token)];
    case 'dpop':
    case 'dpop-nonce':
      return ['--remote-auth-dpop'];
    default:
      return [...id, ...secret];
  }
}

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

let id = 0;
let session;
const modern = revision >= '2026-07-28';

function message(method, params, isRequest) {
  const meta = modern
    ? { _meta: {
      'io.modelcontextprotocol/protocolVersion': revision,
      'io.modelcontextprotocol/clientInfo': { name: 'plain', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    } }
    : {};
  return JSON.stringify({ jsonrpc: '2.0', ...(isRequest ? { id: ++id } : {}), method, params: { ...params, ...meta } });
}

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
  rmSync(secrets, { recursive: true });
}
process.exitCode = ok ? 0 : 1;
