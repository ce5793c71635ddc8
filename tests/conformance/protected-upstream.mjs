// An MCP-like resource and its authorization server, oidc-provider, on one origin: rotation with reuse detection, PKCE for everybody,
// dynamic registration, device flow, resource indicators, DPoP with nonces, revocation.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { errors, Provider } from 'oidc-provider';

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

export const clientSecret = randomBytes(16).toString('hex');
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const clientKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' });

export async function start() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream = new Upstream(server, `http://127.0.0.1:${server.address().port}`);
  server.on('request', (request, response) => upstream.answer(request, response));
  return upstream;
}

class Upstream {
  /** How long access tokens live, in seconds. */
  lifetime = 3600;
  /** What happened at the authorization server, in order. */
  events = [];
  /** The access token that the resource saw last. */
  lastToken;
  /** Whose token each exchanged one was issued for. */
  subjects = new Map();

  constructor(server, origin) {
    this.server = server;
    this.origin = origin;
    this.resource = `${origin}/mcp`;
    this.provider = new Provider(origin, configuration(this));
    this.provider.registerGrantType(
      exchangeGrant, (context) => this.#exchange(context), ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope']);
    this.handle = this.provider.callback();
    this.#record();
  }

  count(event) {
    return this.events.filter((name) => name === event).length;
  }

  /** Gets a machine's own token, which is for no resource. */
  async machineToken(client) {
    const authorization = `Basic ${Buffer.from(`${client}:${clientSecret}`).toString('base64')}`;
    const body = new URLSearchParams({ grant_type: 'client_credentials' });
    const response = await fetch(`${this.origin}/token`, { method: 'POST', body, headers: { authorization } });
    return (await response.json()).access_token;
  }

  /** Ends an access token before its time. */
  async revokeLastToken() {
    await (await this.provider.AccessToken.find(this.lastToken)).destroy();
  }

  /** Ends the whole grant, as a person does who withdraws consent. */
  async loseGrant() {
    const { grantId } = await this.provider.AccessToken.find(this.lastToken);
    await this.provider.AccessToken.revokeByGrantId(grantId);
    await this.provider.RefreshToken.revokeByGrantId(grantId);
    await (await this.provider.Grant.find(grantId)).destroy();
  }

  async answer(request, response) {
    const path = new URL(request.url, this.origin).pathname;
    if (path === '/.well-known/oauth-protected-resource/mcp') {
      const document = { resource: this.resource, authorization_servers: [this.origin], scopes_supported: ['mcp:tools'] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    } else if (path === '/mcp') {
      const { status, challenge } = await this.#judge(request);
      const body = status === 200 ? '{"jsonrpc":"2.0","id":1,"result":{}}' : '';
      response.writeHead(status, challenge ?? { 'content-type': 'application/json' }).end(body);
    } else {
      this.handle(request, response);
    }
  }

  /** Exchanges a machine's token for one that is for the resource (RFC 8693). */
  async #exchange(context) {
    const { params, client } = context.oidc;
    const subject = await this.provider.ClientCredentials.find(params.subject_token);
    if (!subject?.isValid) {
      throw new errors.InvalidGrant('the subject token is not known');
    }
    if (params.audience !== this.resource) {
      throw new errors.InvalidTarget();
    }
    const token = new this.provider.ClientCredentials({ client, scope: params.scope });
    token.resourceServer = new this.provider.ResourceServer(
      this.resource, { scope: 'mcp:tools mcp:admin', audience: this.resource, accessTokenFormat: 'opaque' });
    const value = await token.save();
    this.subjects.set(value, subject.clientId);
    context.body = {
      access_token: value,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: token.tokenType,
      expires_in: token.expiration,
      scope: token.scope,
    };
  }

  async #judge(request) {
    const metadata = `resource_metadata="${this.origin}/.well-known/oauth-protected-resource/mcp"`;
    const [scheme, value] = (request.headers.authorization ?? '').split(' ');
    const token = value && await this.provider.AccessToken.find(value)
      || value && await this.provider.ClientCredentials.find(value);
    const isGood = token && token.isValid && [token.aud].flat().includes(this.resource)
      && (token.jkt ? await this.#isProven(request, scheme, value, token) : scheme === 'Bearer');
    if (!isGood) {
      return { status: 401, challenge: { 'www-authenticate': `Bearer ${metadata}${value ? ', error="invalid_token"' : ''}` } };
    }
    this.lastToken = value;
    const wanted = request.headers['x-wants-scope'];
    return !wanted || token.scope.split(' ').includes(wanted)
      ? { status: 200 }
      : { status: 403, challenge: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${wanted}", ${metadata}` } };
  }

  async #isProven(request, scheme, value, token) {
    try {
      const { payload, protectedHeader } = await jwtVerify(request.headers.dpop, EmbeddedJWK, { typ: 'dpop+jwt' });
      return scheme === 'DPoP' && payload.htm === request.method && payload.htu === this.resource
        && payload.ath === createHash('sha256').update(value).digest('base64url')
        && await calculateJwkThumbprint(protectedHeader.jwk) === token.jkt;
    } catch {
      return false; // No proof, or not one of this key.
    }
  }

  #record() {
    const { provider, events } = this;
    provider.on('grant.success', (context) => events.push(context.oidc.params.grant_type));
    provider.on('grant.error', (context, error) => events.push(`${context.oidc?.params?.grant_type} ${error.error}: ${error.error_detail ?? ''}`));
    provider.on('grant.revoked', () => events.push('grant revoked'));
    provider.on('registration_create.success', () => events.push('registered'));
    provider.on('authorization.success', () => events.push('authorized'));
    provider.on('revocation.success', () => events.push('revoked'));
    provider.on('server_error', (context, error) => console.error(error));
  }
}

function configuration(upstream) {
  const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope: 'mcp:tools' };
  return {
    clients: [
      { ...machine, client_id: 'basic', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' },
      { ...machine, client_id: 'post', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_post' },
      {
        ...machine,
        client_id: 'key',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [{ ...key.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }] },
      },
      { ...machine, client_id: 'other', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic' },
      { ...machine, client_id: 'exchanger', client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_basic', grant_types: [exchangeGrant] },
      {
        client_id: 'application',
        client_secret: clientSecret,
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token', deviceGrant],
        redirect_uris: ['http://localhost/callback'],
      },
    ],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (context, indicator) => {
          if (indicator !== upstream.resource) {
            throw new errors.InvalidTarget();
          }
          return { scope: 'mcp:tools mcp:admin', audience: upstream.resource, accessTokenFormat: 'opaque' };
        },
      },
      revocation: { enabled: true },
    },
    issueRefreshToken: (context, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', 'mcp:tools', 'mcp:admin'],
    ttl: { AccessToken: () => upstream.lifetime, ClientCredentials: () => upstream.lifetime, Grant: 86_400, Interaction: 600, RefreshToken: 86_400, Session: 86_400 },
  };
}
