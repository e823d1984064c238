// server.mjs PORT: an authorization server of the package oidc-provider, and below /api two calls that take its tokens.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../node/', import.meta.url));
const { default: Provider } = await import(require.resolve('oidc-provider'));

const port = Number(process.argv[2]);
const client = (id, scope, method) => ({
  client_id: id, client_secret: process.env[`SECRET_${id.toUpperCase()}`], scope, token_endpoint_auth_method: method,
  grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client('courier', 'parcels:read parcels:write', 'client_secret_basic'),
    client('reader', 'parcels:read', 'client_secret_post'),
  ],
  scopes: ['parcels:read', 'parcels:write'],
  features: {
    clientCredentials: { enabled: true }, introspection: { enabled: true }, revocation: { enabled: true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: 3600 },
});

const parcels = [{ id: '1', to: 'Mia' }];
const SCOPES = { GET: 'parcels:read', HEAD: 'parcels:read', POST: 'parcels:write' };

function refuse(context, status, error, headers = {}) {
  context.status = status;
  context.set(headers);
  context.body = { error };
}

async function body(context) {
  const chunks = [];
  for await (const chunk of context.req) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

provider.use(async (context, next) => {
  if (!context.path.startsWith('/api/')) return next();
  const sent = /^bearer ([^\s,]+)$/i.exec(context.get('authorization'));
  const token = sent && await provider.ClientCredentials.find(sent[1]);
  if (!token) return refuse(context, 401, 'invalid_token', { 'WWW-Authenticate': sent ? 'Bearer error="invalid_token"' : 'Bearer' });
  if (context.path !== '/api/parcels') return refuse(context, 404, 'not_found');
  const scope = SCOPES[context.method];
  if (!scope) return refuse(context, 405, 'method_not_allowed', { Allow: Object.keys(SCOPES).join(', ') });
  if (!(token.scope ?? '').split(' ').includes(scope)) {
    return refuse(context, 403, 'insufficient_scope', { 'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${scope}"` });
  }
  if (context.method !== 'POST') {
    context.body = { parcels };
    return undefined;
  }
  if (!context.is('application/json')) return refuse(context, 415, 'unsupported_media_type');
  const { to } = await body(context) ?? {};
  if (typeof to !== 'string' || !to) return refuse(context, 400, 'invalid_request');
  parcels.push({ id: String(parcels.length + 1), to });
  context.status = 201;
  context.body = parcels.at(-1);
  return undefined;
});

provider.listen(port, '127.0.0.1');
