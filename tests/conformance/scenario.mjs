// What the clients of the auth scenarios have in common: which flags a scenario needs, and the messages that they send.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const scenario = process.env.MCP_CONFORMANCE_SCENARIO.replace('auth/', '');
export const revision = process.env.MCP_REVISION;
export const modern = revision >= '2026-07-28';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const secrets = mkdtempSync(join(tmpdir(), 'conformance-'));

export const log = (text) => appendFileSync(process.env.CLIENT_LOG, text);
export const clean = () => rmSync(secrets, { recursive: true });

function secretFile(name, text) {
  const path = join(secrets, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** The flags of the command for this scenario. */
export function flags() {
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

let id = 0;

/** A message as one line, with a new id where it is a request. */
export function message(method, params, isRequest) {
  const meta = modern
    ? { _meta: {
      'io.modelcontextprotocol/protocolVersion': revision,
      'io.modelcontextprotocol/clientInfo': { name: 'plain', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    } }
    : {};
  return JSON.stringify({ jsonrpc: '2.0', ...(isRequest ? { id: ++id } : {}), method, params: { ...params, ...meta } });
}
