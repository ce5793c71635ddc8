// What the conformance suite asks a server to offer: the names and texts are the suite's, each tool shows one kind of traffic.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
    acceptedContent, CLIENT_CAPABILITIES_META_KEY, createRequestStateCodec, fromJsonSchema, inputRequired, McpServer, ProtocolError,
    ProtocolErrorCode, ResourceTemplate,
} from '@modelcontextprotocol/server';
import * as z from 'zod/v4';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const SILENCE = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
const STEP_MS = 50;

// State that travels through the client is sealed, so that a changed one is refused before a tool sees it.
const state = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

const text = value => ({ type: 'text', text: value });
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };
const embedded = (uri, mimeType, value) => ({ type: 'resource', resource: { uri, mimeType, text: value } });
const answer = (...content) => ({ content });
const said = (...content) => ({ messages: content.map(part => ({ role: 'user', content: part })) });

const form = properties => ({ type: 'object', properties, required: Object.keys(properties) });
const ask = (message, properties) => inputRequired.elicit({ message, requestedSchema: form(properties) });
const complete = (question, maxTokens) =>
    inputRequired.createMessage({ messages: [{ role: 'user', content: text(question) }], maxTokens });
const askName = () => ask('What is your name?', { name: { type: 'string' } });
const askOk = () => ask('Please confirm', { ok: { type: 'boolean' } });
const sealed = payload => state.mint({ ...payload, nonce: randomUUID() });

/** A new server; `notify` tells open subscriptions that a list has changed. */
export function createServer(notify) {
    const server = new McpServer(
        { name: 'conformance-upstream', version: '1.0.0' },
        {
            capabilities: {
                tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, prompts: { listChanged: true },
                logging: {}, completions: {},
            },
            requestState: { verify: state.verify },
        },
    );
    const tool = (name, run, inputSchema = z.object({})) => server.registerTool(name, { description: name, inputSchema }, run);

    addContentTools(tool);
    addStreamTools(tool, notify);
    addServerRequestTools(tool);
    addInputRequiredTools(tool);
    addResources(server);
    addPrompts(server);
    for (const method of ['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel']) {
        server.server.setRequestHandler(method, async () => ({}));
    }
    server.server.setRequestHandler('completion/complete', async () => ({ completion: { values: [], total: 0, hasMore: false } }));
    return server;
}

function addContentTools(tool) {
    tool('test_simple_text', async () => answer(text('This is a simple text response for testing.')));
    tool('test_image_content', async () => answer(image));
    tool('test_audio_content', async () => answer({ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }));
    tool('test_embedded_resource', async () =>
        answer(embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')));
    tool('test_multiple_content_types', async () =>
        answer(text('Multiple content types test:'), image, embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')));
    tool('test_error_handling', async () => { throw new Error('This tool intentionally returns an error for testing'); });
    tool('test_x_mcp_header', async args => answer(text(`region=${args.region ?? '<none>'}`)), fromJsonSchema({
        type: 'object',
        properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer' } },
    }));
    tool('json_schema_2020_12_tool', async args => answer(text(JSON.stringify(args))), fromJsonSchema({
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
        properties: {
            name: { type: 'string' }, address: { $ref: '#/$defs/address' }, contactMethod: { type: 'string', enum: ['phone', 'email'] },
            phone: { type: 'string' }, email: { type: 'string' },
        },
        allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
        if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
        then: { required: ['phone'] },
        else: { required: ['email'] },
        additionalProperties: false,
    }));
}

function addStreamTools(tool, notify) {
    tool('test_tool_with_logging', async (_, { mcpReq }) => {
        for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
            await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
            await pause(STEP_MS);
        }
        return answer(text('Tool with logging executed successfully'));
    });
    tool('test_tool_with_progress', async (_, { mcpReq }) => {
        const progressToken = mcpReq._meta?.progressToken;
        for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
            await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
            await pause(STEP_MS);
        }
        return answer(text(String(progressToken)));
    });
    tool('test_reconnection', async (_, { http }) => {
        // The client has to come back for the answer, with the id of the last event it saw.
        http?.closeSSE?.();
        await pause(2 * STEP_MS);
        return answer(text('fetched by a second stream'));
    });
    tool('test_logging_tool', async (_, { mcpReq }) => {
        await mcpReq.log('info', 'only where the request asked for a level');
        return answer(text('logged'));
    });
    tool('test_streaming_elicitation', async () => answer(text('no request of the server on this stream')));
    tool('test_trigger_tool_change', async () => { notify.toolsChanged(); return answer(text('published')); });
    tool('test_trigger_prompt_change', async () => { notify.promptsChanged(); return answer(text('published')); });
}

function addServerRequestTools(tool) {
    const elicit = async (mcpReq, message, requestedSchema) => {
        const { action, content } = await mcpReq.send({ method: 'elicitation/create', params: { message, requestedSchema } });
        return answer(text(`action=${action}, content=${JSON.stringify(content ?? {})}`));
    };
    tool('test_sampling', async ({ prompt }, { mcpReq }) => {
        const params = { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 };
        const result = await mcpReq.send({ method: 'sampling/createMessage', params });
        return answer(text(`LLM response: ${result.content?.text}`));
    }, z.object({ prompt: z.string() }));
    tool('test_elicitation', ({ message }, { mcpReq }) => elicit(mcpReq, message, form({ response: { type: 'string' } })), z.object({ message: z.string() }));
    tool('test_elicitation_sep1034_defaults', (_, { mcpReq }) => elicit(mcpReq, 'Please review the defaults', {
        type: 'object',
        properties: {
            name: { type: 'string', default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
            status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true },
        },
        required: [],
    }));
    const titled = (noun, ...values) => values.map((value, index) => ({ const: value, title: `${['First', 'Second', 'Third'][index]} ${noun}` }));
    tool('test_elicitation_sep1330_enums', (_, { mcpReq }) => elicit(mcpReq, 'Please select options', {
        type: 'object',
        properties: {
            untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
            titledSingle: { type: 'string', oneOf: titled('Option', 'value1', 'value2', 'value3') },
            legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
            untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
            titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled('Choice', 'value1', 'value2', 'value3') } },
        },
        required: [],
    }));
}

function addInputRequiredTools(tool) {
    const round = (name, run) => tool(`test_input_required_result_${name}`, async (_, { mcpReq }) => run(mcpReq, mcpReq.inputResponses));

    tool('test_missing_capability', async (_, { mcpReq }) => mcpReq.inputResponses?.llm_answer === undefined
        ? inputRequired({ inputRequests: { llm_answer: complete('Reply with the single word: pong', 16) } })
        : answer(text('sampled')));
    round('elicitation', (_, given) => {
        const name = acceptedContent(given, 'user_name')?.name;
        return typeof name === 'string' ? answer(text(`Hello, ${name}!`)) : inputRequired({ inputRequests: { user_name: askName() } });
    });
    round('sampling', (_, given) => given?.capital_question === undefined
        ? inputRequired({ inputRequests: { capital_question: complete('What is the capital of France?', 100) } })
        : answer(text(`Sampling response: ${given.capital_question.content?.text}`)));
    round('list_roots', (_, given) => Array.isArray(given?.client_roots?.roots)
        ? answer(text(`Client exposed: ${given.client_roots.roots.map(root => root.uri).join(', ')}`))
        : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } }));
    round('request_state', async (mcpReq, given) => {
        if (acceptedContent(given, 'confirm') === undefined) {
            return inputRequired({ inputRequests: { confirm: askOk() }, requestState: await sealed({ tool: 'request_state' }) });
        }
        if (mcpReq.requestState() === undefined) {
            throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid requestState');
        }
        return answer(text('state-ok: requestState verified'));
    });
    round('multiple_inputs', async (_, given) => {
        const name = acceptedContent(given, 'user_name')?.name;
        const greeting = given?.greeting?.content?.text;
        const roots = given?.client_roots?.roots;
        return typeof name === 'string' && typeof greeting === 'string' && Array.isArray(roots)
            ? answer(text(`${greeting} ${name}, ${roots.length} root(s)`))
            : inputRequired({
                inputRequests: { user_name: askName(), greeting: complete('Generate a greeting', 50), client_roots: inputRequired.listRoots() },
                requestState: await sealed({ tool: 'multiple_inputs' }),
            });
    });
    round('multi_round', async (mcpReq, given) => {
        const before = mcpReq.requestState();
        const next = (inputRequests, payload) => sealed({ tool: 'multi_round', ...payload }).then(requestState => inputRequired({ inputRequests, requestState }));
        switch (before?.tool === 'multi_round' ? before.round : 0) {
            case 0:
                return next({ step1: askName() }, { round: 1 });
            case 1:
                return next({ step2: ask('What is your favorite color?', { color: { type: 'string' } }) }, { round: 2, name: acceptedContent(given, 'step1')?.name });
            default:
                return answer(text(`${before.name} likes ${acceptedContent(given, 'step2')?.color}`));
        }
    });
    round('tampered_state', async (mcpReq, given) => mcpReq.requestState() !== undefined && acceptedContent(given, 'confirm') !== undefined
        ? answer(text('integrity-ok'))
        : inputRequired({ inputRequests: { confirm: askOk() }, requestState: await sealed({ tool: 'tampered_state' }) }));
    round('capabilities', (mcpReq, given) => {
        const declared = mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
        const offers = { elicitation: ['user_name', askName], sampling: ['greeting', () => complete('Generate a greeting', 50)], roots: ['client_roots', inputRequired.listRoots] };
        const requests = Object.entries(offers).filter(([kind]) => declared[kind] !== undefined).map(([, [key, make]]) => [key, make()]);
        return given !== undefined || requests.length === 0
            ? answer(text('nothing more is needed'))
            : inputRequired({ inputRequests: Object.fromEntries(requests) });
    });
}

function addResources(server) {
    const add = (name, uri, content) =>
        server.registerResource(name, `test://${uri}`, { description: name }, async () => ({ contents: [{ uri: `test://${uri}`, ...content }] }));
    add('static-text', 'static-text', { mimeType: 'text/plain', text: 'This is the content of the static text resource.' });
    add('static-binary', 'static-binary', { mimeType: 'image/png', blob: PIXEL });
    add('watched-resource', 'watched-resource', { mimeType: 'text/plain', text: 'Watched resource content' });
    server.registerResource('template', new ResourceTemplate('test://template/{id}/data', { list: undefined }), { description: 'template' }, async (uri, { id }) => ({
        contents: [{ uri: uri.toString(), mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
    }));
}

function addPrompts(server) {
    const add = (name, run, shape) => server.registerPrompt(name, { description: name, ...(shape && { argsSchema: z.object(shape) }) }, run);
    add('test_simple_prompt', async () => said(text('This is a simple prompt for testing.')));
    add('test_prompt_with_arguments', async ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)), { arg1: z.string(), arg2: z.string() });
    add('test_prompt_with_embedded_resource', async ({ resourceUri }) =>
        said(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'), text('Please process the embedded resource above.')), { resourceUri: z.string() });
    add('test_prompt_with_image', async () => said(image, text('Please analyze the image above.')));
    add('test_input_required_result_prompt', async ({ mcpReq }) => {
        const context = acceptedContent(mcpReq.inputResponses, 'user_context')?.context;
        return typeof context === 'string'
            ? said(text(`Use the following context: ${context}`))
            : inputRequired({ inputRequests: { user_context: ask('What context should the prompt use?', { context: { type: 'string' } }) } });
    });
}
