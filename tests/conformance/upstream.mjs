// A good MCP server for the conformance suite: the official TypeScript SDK at both revisions on one endpoint.
// Prints `listening on <port>` once it does.
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { localhostHostValidation, localhostOriginValidation, NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { classifyInboundRequest, createMcpHandler, isInitializeRequest } from '@modelcontextprotocol/server';
import { createServer } from './features.mjs';

// How long a client whose stream was closed waits before it comes back: long enough for the suite to see that it did wait.
const RETRY_MS = 1000;
const sessions = new Map();
const stateless = createMcpHandler(() => createServer(stateless.notify));
const serveStateless = toNodeHandler(stateless);
const guards = [localhostHostValidation(), localhostOriginValidation()];

/** Keeps the events of one session, so that its streams can be resumed; an event's id is `<stream>::<number>`. */
function eventLog() {
    const events = [];
    return {
        storeEvent: async (stream, message) => `${stream}::${events.push({ stream, message }) - 1}`,
        replayEventsAfter: async (last, { send }) => {
            const [stream, number] = last.split('::');
            for (let next = Number(number) + 1; next < events.length; next++) {
                if (events[next].stream === stream && events[next].message?.jsonrpc) {
                    await send(`${stream}::${next}`, events[next].message);
                }
            }
            return stream;
        },
    };
}

async function readJson(request) {
    const chunks = [];
    for await (const chunk of request) {
        chunks.push(chunk);
    }
    return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

async function openSession() {
    const transport = new NodeStreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        eventStore: eventLog(),
        retryInterval: RETRY_MS,
        onsessioninitialized: id => sessions.set(id, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await createServer(stateless.notify).connect(transport);
    return transport;
}

function refuse(response, status, message) {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null }));
}

async function serve(request, response) {
    if (!guards.every(guard => guard(request, response))) {
        return;
    }
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    const kind = classifyInboundRequest({
        httpMethod: request.method,
        protocolVersionHeader: request.headers['mcp-protocol-version'],
        mcpMethodHeader: request.headers['mcp-method'],
        body,
    }).kind;
    if (request.method === 'POST' && kind !== 'legacy') {
        return serveStateless(request, response, body);
    }
    const id = request.headers['mcp-session-id'];
    const transport = sessions.get(id) ?? (id === undefined && isInitializeRequest(body) ? await openSession() : undefined);
    if (transport === undefined) {
        return refuse(response, id === undefined ? 400 : 404, 'Session not found');
    }
    return transport.handleRequest(request, response, body);
}

const http = createHttpServer((request, response) => serve(request, response).catch(error => {
    console.error(error);
    response.headersSent ? response.destroy() : refuse(response, 500, 'Internal error');
}));
http.listen(0, '127.0.0.1', () => console.log(`listening on ${http.address().port}`));
