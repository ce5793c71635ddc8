// See run.sh. Each check is a sentence about what came through the bridge.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CreateMessageRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const [command, ...args] = process.argv.slice(2);
const bin = join(dirname(fileURLToPath(import.meta.url)), 'node_modules', '.bin');
let passed = 0;
let failed = 0;

async function check(sentence, test) {
  try {
    await test();
    passed++;
    console.log(`ok: ${sentence}`);
  } catch (fault) {
    failed++;
    console.log(`FAILED: ${sentence}: ${fault.stack ?? fault}`);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function startServer() {
  const port = await freePort();
  const server = spawn(join(bin, 'mcp-server-everything'), ['streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of server.stderr.setEncoding('utf8')) {
    if (line.includes('listening')) break;
  }
  server.stderr.resume();
  return { server, url: `http://127.0.0.1:${port}/mcp` };
}

async function connect(url) {
  const client = new Client({ name: 'check', version: '1' }, { capabilities: { sampling: {}, roots: { listChanged: true } } });
  client.setRequestHandler(CreateMessageRequestSchema, async (request) => ({
    model: 'none', role: 'assistant', content: { type: 'text', text: `sampled: ${JSON.stringify(request.params.messages).length > 0}` },
  }));
  client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: [{ uri: 'file:///home/ada', name: 'home' }] }));
  await client.connect(new StdioClientTransport({ command, args: [...args, 'stdio', 'everything', '--target-uri', url], stderr: 'inherit' }));
  return client;
}

const { server, url } = await startServer();
try {
  const client = await connect(url);
  await check('the server says who it is', async () => assert.ok(client.getServerVersion().name));
  const { tools } = await client.listTools();
  await check('tools are listed', async () => assert.ok(tools.some((tool) => tool.name === 'echo')));
  await check('a tool answers with what it was given', async () => {
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'grüße, 世界' } });
    assert.match(content[0].text, /grüße, 世界/);
  });
  await check('64 calls at once get their own answers', async () => {
    const texts = [...Array(64).keys()].map((n) => `call ${n}.`);
    const answers = await Promise.all(texts.map((message) => client.callTool({ name: 'echo', arguments: { message } })));
    answers.forEach((answer, n) => assert.ok(answer.content[0].text.includes(texts[n])));
  });
  await check('progress reaches the client', async () => {
    // Counted where messages come in: the SDK hands progress on a turn later than an answer, and forgets who asked for it with the answer.
    const came = [];
    const dispatch = client.transport.onmessage;
    client.transport.onmessage = (message, extra) => {
      if (message.method === 'notifications/progress') came.push(message.params.progress);
      if ('result' in message) came.push('answer');
      dispatch(message, extra);
    };
    const name = tools.find((tool) => /long.?running/i.test(tool.name)).name;
    await client.callTool({ name, arguments: { duration: 1, steps: 3 } }, undefined, { onprogress: () => {} });
    client.transport.onmessage = dispatch;
    assert.deepEqual(came, [1, 2, 3, 'answer']);
  });
  await check('the server samples the client', async () => {
    const sampling = (await client.listTools()).tools.find((tool) => /sampl/i.test(tool.name) && !/async|research/i.test(tool.name));
    const { content } = await client.callTool({ name: sampling.name, arguments: { prompt: 'why?', maxTokens: 10 } });
    assert.match(JSON.stringify(content), /sampled: true/);
  });
  await check('resources are listed and read', async () => {
    const { resources } = await client.listResources();
    assert.ok((await client.readResource({ uri: resources[0].uri })).contents.length > 0);
  });
  await check('prompts are listed', async () => assert.ok((await client.listPrompts()).prompts.length > 0));
  await check('a ping is answered', async () => assert.ok(await client.ping()));
  await client.close();

  await check('the inspector lists the tools', async () => {
    const { stdout } = await promisify(execFile)(
      join(bin, 'mcp-inspector'), ['--cli', command, ...args, 'stdio', 'everything', '--target-uri', url, '--method', 'tools/list'], { timeout: 60_000 });
    assert.ok(JSON.parse(stdout).tools.length > 0);
  });
} finally {
  server.kill();
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
