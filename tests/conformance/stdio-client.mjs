// The plain client of the auth scenarios over stdio: starts the bridge to the suite's server and speaks MCP to it line by line, without any OAuth.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { clean, flags, log, message, modern, revision, scenario } from './scenario.mjs';

const server = process.argv.at(-1);
const [command, ...rest] = JSON.parse(process.env.PROXY_COMMAND);
const bridge = spawn(command, [...rest, 'conformance', '--target-uri', server, '--remote-auth', '--remote-auth-store', 'none', ...flags()], {
  stdio: ['pipe', 'pipe', 'pipe'],
});
bridge.stderr.on('data', (data) => log(`${data}`));
bridge.stdin.on('error', (fault) => log(`client: ${fault.message}\n`));
const ended = once(bridge, 'exit');

/** Who waits for which answer. */
const waiting = new Map();
createInterface({ input: bridge.stdout }).on('line', (line) => {
  log(`client: <- ${line.slice(0, 300)}\n`);
  const answer = JSON.parse(line);
  waiting.get(answer.id)?.(answer);
});
ended.then(([code]) => waiting.forEach((resolve) => resolve({ error: { message: `the bridge ended with ${code}` } })));

async function ask(method, params = {}) {
  const line = message(method, params, true);
  log(`client: -> ${method}\n`);
  const answered = new Promise((resolve) => waiting.set(JSON.parse(line).id, resolve));
  bridge.stdin.write(`${line}\n`);
  return 'result' in await answered;
}

async function speak() {
  if (modern) {
    await ask('server/discover');
  } else {
    await ask('initialize', { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'plain', version: '1' } });
    bridge.stdin.write(`${message('notifications/initialized', {}, false)}\n`);
  }
  let ok = await ask('tools/list');
  ok = await ask('tools/call', { name: 'test-tool', arguments: {} }) && ok;
  if (scenario === 'authorization-server-migration') {
    ok = await ask('tools/list') && ok;
  }
  return ok;
}

const ok = await speak();
bridge.stdin.end();
const [code] = await ended;
clean();
process.exitCode = ok && code === 0 ? 0 : 1;
