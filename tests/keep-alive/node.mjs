// node node.mjs COMMAND…: see node.sh.
import { spawn } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const seconds = 40;

// The server is so far away, each way: what is sent to it as it closes is lost.
const distance = 30;

// Each client waits so long between two of its POSTs: around the 5 s after which node closes, and the 6 s after which its later versions do.
const pauses = [4950, 4970, 4990, 5950, 5970, 5990, 6000];
const clientsPerPause = 10;

// A server says how long it keeps a connection, as node does by itself, or does not, as uvicorn, which closes after as long.
const says = http.createServer(answer);
const silent = http.createServer((request, response) => {
  response.shouldKeepAlive = true;
  response.setHeader('Connection', 'keep-alive'); // whoever sets it by hand gets no Keep-Alive field added
  answer(request, response);
});

function answer(request, response) {
  request.resume().on('end', () => {
    response.setHeader('Content-Length', 2);
    response.end('{}');
  });
}

async function listen(server) {
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

// Forwards bytes and ends, each after its time on the way.
function farAway(port) {
  return net.createServer({ allowHalfOpen: true, noDelay: true }, near => {
    const far = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', bytes => setTimeout(() => to.writable && to.write(bytes), distance));
      from.on('end', () => setTimeout(() => to.end(), distance));
      from.on('error', () => setTimeout(() => to.resetAndDestroy(), distance));
    }
  });
}

async function startProxy(target) {
  const [file, ...args] = process.argv.slice(2);
  const child = spawn(file, [...args, 'proxy', 'node', '--target-uri', target], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const started = / on port (\d+) /.exec(line);
    if (started) {
      return { child, port: Number(started[1]) };
    }
  }

  throw new Error('The proxy has not started.');
}

function post(agent, port) {
  return new Promise(resolve => {
    const request = http.request({ agent, port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers: { 'Content-Length': 2 } }, response => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
    });
    request.on('error', fault => resolve(fault.code ?? fault.message));
    request.end('{}');
  });
}

async function runClient(port, wait, counts) {
  // The client's own connection is kept for longer than it waits: what ends is the proxy's connection to the server.
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, timeout: 0 });
  await pause(Math.random() * 2000);
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(wait)) {
    const outcome = await post(agent, port);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }

  agent.destroy();
}

let failed = 0;
await Promise.all(Object.entries({ says, silent }).map(async ([name, server]) => {
  const relay = farAway(await listen(server));
  const { child, port } = await startProxy(`http://127.0.0.1:${await listen(relay)}/mcp`);
  const counts = {};
  await Promise.all(pauses.flatMap(wait => Array.from({ length: clientsPerPause }, () => runClient(port, wait, counts))));
  child.kill('SIGTERM');
  relay.close();
  server.close();
  server.closeAllConnections();
  const isRight = Object.keys(counts).join() === '200' && counts['200'] > clientsPerPause * pauses.length;
  console.log(`${isRight ? 'ok  ' : 'FAIL'} server that ${name === 'says' ? 'says how long it keeps connections' : 'does not say it'}: ${JSON.stringify(counts)}`);
  failed += isRight ? 0 : 1;
}));
console.log(`${2 - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
