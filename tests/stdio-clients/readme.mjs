// See readme.sh. Each check is a row of the README's table of clients, with the URL of a real server in place of the example's.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const work = process.argv[2];
const readme = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'README.md'), 'utf8');
let passed = 0;
let failed = 0;

/** A client, with a home and a project of its own. */
class Client {
  constructor(row) {
    this.home = join(work, 'homes', row.replaceAll(' ', '-'));
    this.project = join(this.home, 'project');
    mkdirSync(this.project, { recursive: true });
    this.settings = [...readme.matchAll(/^\| ([^|]+) \| [^|]+ \| `(.+)` \|$/gm)].find(([, name]) => name === row)?.[2].replaceAll('https://mcp.example.com/mcp', url);
    this.env = { HOME: this.home, PATH: process.env.PATH, LANG: 'C.UTF-8', TERM: 'dumb', CI: '1' };
  }

  write(path, text) {
    mkdirSync(dirname(join(this.home, path)), { recursive: true });
    writeFileSync(join(this.home, path), text);
  }

  /** Runs a command line; what it prints on both streams. */
  run(line, input = '') {
    const { stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: this.project, env: this.env, input, encoding: 'utf8', timeout: 90_000 });
    return `${stdout}${stderr}`.replace(/\x1b\[[0-9;]*m/g, '');
  }
}

function check(row, test) {
  try {
    test(new Client(row));
    passed++;
    console.log(`ok: ${row}`);
  } catch (fault) {
    failed++;
    console.log(`FAILED: ${row}: ${fault.message}`);
  }
}

async function startServer() {
  const held = createServer().listen(0, '127.0.0.1');
  await once(held, 'listening');
  const { port } = held.address();
  held.close();
  await once(held, 'close');
  const server = spawn('mcp-server-everything', ['streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] });
  for await (const line of server.stderr.setEncoding('utf8')) {
    if (line.includes('listening')) break;
  }
  server.stderr.resume();
  return { server, url: `http://127.0.0.1:${port}/mcp` };
}

const { server, url } = await startServer();
try {
  check('Claude Code', (client) => {
    client.run(client.settings);
    assert.match(client.run('claude mcp list'), /notion: .* Connected/);
  });
  check('Codex', (client) => {
    client.run(client.settings);
    const asked = ['{"id":1,"method":"initialize","params":{"clientInfo":{"name":"check","version":"1"}}}', '{"method":"initialized"}',
      '{"id":2,"method":"mcpServerStatus/list","params":{}}'].map((line) => `echo '${line}'`).join('; ');
    assert.match(client.run(`{ ${asked}; sleep 15; } | codex app-server`), /"name":"notion".*"echo"/);
  });
  check('Gemini CLI', (client) => {
    client.write('.gemini/trustedFolders.json', JSON.stringify({ [client.project]: 'TRUST_FOLDER' }));
    client.run(client.settings);
    assert.match(client.run('gemini mcp list'), /notion: .* Connected/);
  });
  check('Qwen Code', (client) => {
    client.run(client.settings);
    assert.match(client.run('qwen mcp list'), /notion: .* Connected/);
  });
  check('opencode', (client) => {
    client.write('project/opencode.json', client.settings);
    assert.match(client.run('opencode mcp list'), /notion\s+connected/);
  });
  check('Claude Desktop', (client) => { // also the settings of Cursor, whose file mcporter reads
    client.write('.cursor/mcp.json', client.settings);
    assert.match(client.run('mcporter call notion.echo message:hello'), /Echo: hello/);
  });
  check('VS Code', (client) => {
    client.write('project/.vscode/mcp.json', client.settings);
    assert.match(client.run('mcporter call notion.echo message:hello'), /Echo: hello/);
  });
} finally {
  server.kill();
}

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
