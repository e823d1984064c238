// An OpenID provider on a free port of this machine, for tests/oauth_provider.rs. It prints the private key of its client
// `signing`, and its URL when it is ready.
//
//   node server.mjs [--rotate]
//
// Users log in and consent by themselves: the interaction page answers with a redirect.

import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import { Provider } from 'oidc-provider';

const client_secret = 'p%s+w &=:'.padEnd(40, 'x');
const rotate = process.argv.includes('--rotate');
const redirect_uris = ['https://app.example.com/callback'];
const grants = ['authorization_code', 'refresh_token'];

const device_code = 'urn:ietf:params:oauth:grant-type:device_code';
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = (half) => ({ ...half.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' });
console.log(`key ${JSON.stringify(jwk(key.privateKey))}`);
const page = (ctx, form) => {
  ctx.body = form;
};

const configuration = {
  clients: [
    {
      client_id: 'signing',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [jwk(key.publicKey)] },
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      scope: 'read',
    },
    {
      client_id: 'my:client',
      // As the secret: characters that form encoding changes.
      client_secret,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: [...grants, 'client_credentials'],
      scope: 'openid offline_access read write',
      redirect_uris,
    },
    {
      client_id: 'post',
      client_secret,
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: [...grants, 'client_credentials'],
      scope: 'openid offline_access read write',
      redirect_uris,
    },
    {
      client_id: 'public',
      token_endpoint_auth_method: 'none',
      grant_types: [...grants, device_code],
      redirect_uris,
    },
  ],
  scopes: ['openid', 'offline_access', 'read', 'write', 'admin'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: { enabled: true, allowedPolicy: () => true },
    introspection: { enabled: true, allowedPolicy: () => true },
    pushedAuthorizationRequests: { enabled: true },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: page,
      userCodeConfirmSource: page,
      successSource: (ctx) => page(ctx, 'connected'),
    },
  },
  pkce: { required: () => true },
  rotateRefreshToken: rotate,
  // Also without `openid`, as long as `offline_access` was granted.
  issueRefreshToken: async (ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ['only for tests'] },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, ClientCredentials: 600, DeviceCode: 60, Grant: 3600, IdToken: 3600,
    Interaction: 60, RefreshToken: 3600, Session: 3600 },
};

const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, configuration);
  const callback = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) {
      callback(request, response);
      return;
    }
    interact(provider, request, response).catch((error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  console.log(url);
});

async function interact(provider, request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (params.login_hint === 'refuses') {
    const result = { error: 'access_denied', error_description: 'the user said no' };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    return;
  }
  let result;
  if (prompt.name === 'login') {
    result = { login: { accountId: 'alice' } };
  } else {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

// The test holds our standard input open; when it ends, however it ends, so do we.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
