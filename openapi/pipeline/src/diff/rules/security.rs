//! Rules for security: who may call, with which credentials, and where these are obtained.

use super::ExamplePart::{Document, Operation};
use super::Group::{Oauth, Security};
use super::Level::{Breaking, Info, Warning};
use super::Party::{Client, Nobody, Server};
use super::{Rule, table};

table! {
    LOGIN_REQUIRED = {
        id: "security-login-required", level: Breaking, breaks: Client, group: Security,
        title: "an operation now needs a login",
        why: "A client that calls it without a token is answered with 401.",
        inverse: "security-login-dropped",
        at: Operation, old: "security: []", new: "security: [{login: [read]}]",
    }
    LOGIN_DROPPED = {
        id: "security-login-dropped", level: Warning, breaks: Server, group: Security,
        title: "an operation no longer needs a login",
        why: "What only known callers could reach is open to everybody; a server must now serve calls without a token.",
        inverse: "security-login-required",
        at: Operation, old: "security: [{login: [read]}]", new: "security: []",
    }
    SCOPE_ADDED = {
        id: "security-scope-added", level: Breaking, breaks: Client, group: Security,
        title: "an operation needs another scope",
        why: "A client whose token lacks the scope is answered with 403.",
        inverse: "security-scope-removed",
        at: Operation, old: "security: [{login: [read]}]", new: "security: [{login: [read, write]}]",
    }
    SCOPE_REMOVED = {
        id: "security-scope-removed", level: Info, breaks: Server, group: Security,
        title: "an operation needs a scope less",
        why: "A server must now serve tokens without the scope.",
        inverse: "security-scope-added",
        at: Operation, old: "security: [{login: [read, write]}]", new: "security: [{login: [read]}]",
    }
    ALTERNATIVE_REMOVED = {
        id: "security-alternative-removed", level: Breaking, breaks: Client, group: Security,
        title: "a way to log in to an operation went",
        why: "A client that logs in this way is answered with 401.",
        inverse: "security-alternative-added",
        at: Operation, old: "security: [{login: [read]}, {key: []}]", new: "security: [{login: [read]}]",
    }
    ALTERNATIVE_ADDED = {
        id: "security-alternative-added", level: Info, breaks: Server, group: Security,
        title: "there is another way to log in to an operation",
        why: "A server must now accept it.",
        inverse: "security-alternative-removed",
        at: Operation, old: "security: [{login: [read]}]", new: "security: [{login: [read]}, {key: []}]",
    }
    JOINED = {
        id: "security-credential-joined", level: Breaking, breaks: Client, group: Security,
        title: "an operation needs a second credential beside the first",
        why: "A client that sends the first one alone is answered with 401.",
        inverse: "security-credential-spared",
        at: Operation, old: "security: [{login: [read]}]", new: "security: [{login: [read], key: []}]",
    }
    SPARED = {
        id: "security-credential-spared", level: Info, breaks: Server, group: Security,
        title: "an operation needs one credential less",
        why: "A server must now serve calls without it.",
        inverse: "security-credential-joined",
        at: Operation, old: "security: [{login: [read], key: []}]", new: "security: [{login: [read]}]",
    }
    GLOBAL_LOGIN_REQUIRED = {
        id: "global-security-login-required", level: Breaking, breaks: Client, group: Security,
        title: "all operations without a word of their own now need a login",
        why: "A client that calls them without a token is answered with 401.",
        inverse: "global-security-login-dropped",
        at: Document, old: "security: []", new: "security: [{login: [read]}]",
    }
    GLOBAL_LOGIN_DROPPED = {
        id: "global-security-login-dropped", level: Warning, breaks: Server, group: Security,
        title: "all operations without a word of their own no longer need a login",
        why: "What only known callers could reach is open to everybody; a server must now serve calls without a token.",
        inverse: "global-security-login-required",
        at: Document, old: "security: [{login: [read]}]", new: "security: []",
    }
    GLOBAL_SCOPE_ADDED = {
        id: "global-security-scope-added", level: Breaking, breaks: Client, group: Security,
        title: "all operations without a word of their own need another scope",
        why: "A client whose token lacks the scope is answered with 403.",
        inverse: "global-security-scope-removed",
        at: Document, old: "security: [{login: [read]}]", new: "security: [{login: [read, write]}]",
    }
    GLOBAL_SCOPE_REMOVED = {
        id: "global-security-scope-removed", level: Info, breaks: Server, group: Security,
        title: "all operations without a word of their own need a scope less",
        why: "A server must now serve tokens without the scope.",
        inverse: "global-security-scope-added",
        at: Document, old: "security: [{login: [read, write]}]", new: "security: [{login: [read]}]",
    }
    GLOBAL_ALTERNATIVE_REMOVED = {
        id: "global-security-alternative-removed", level: Breaking, breaks: Client, group: Security,
        title: "a way to log in to all operations without a word of their own went",
        why: "A client that logs in this way is answered with 401.",
        inverse: "global-security-alternative-added",
        at: Document, old: "security: [{login: [read]}, {key: []}]", new: "security: [{login: [read]}]",
    }
    GLOBAL_ALTERNATIVE_ADDED = {
        id: "global-security-alternative-added", level: Info, breaks: Server, group: Security,
        title: "there is another way to log in to all operations without a word of their own",
        why: "A server must now accept it.",
        inverse: "global-security-alternative-removed",
        at: Document, old: "security: [{login: [read]}]", new: "security: [{login: [read]}, {key: []}]",
    }
    GLOBAL_JOINED = {
        id: "global-security-credential-joined", level: Breaking, breaks: Client, group: Security,
        title: "all operations without a word of their own need a second credential beside the first",
        why: "A client that sends the first one alone is answered with 401.",
        inverse: "global-security-credential-spared",
        at: Document, old: "security: [{login: [read]}]", new: "security: [{login: [read], key: []}]",
    }
    GLOBAL_SPARED = {
        id: "global-security-credential-spared", level: Info, breaks: Server, group: Security,
        title: "all operations without a word of their own need one credential less",
        why: "A server must now serve calls without it.",
        inverse: "global-security-credential-joined",
        at: Document, old: "security: [{login: [read], key: []}]", new: "security: [{login: [read]}]",
    }
    SCHEME_ADDED = {
        id: "security-scheme-added", level: Info, breaks: Nobody, group: Security,
        title: "a security scheme is new",
        why: "It breaks nobody until an operation needs it.",
        inverse: "security-scheme-removed-unused",
        at: Document, old: "{}",
        new: "components: {securitySchemes: {cookie: {type: apiKey, in: cookie, name: session}}}",
    }
    SCHEME_REMOVED = {
        id: "security-scheme-removed", level: Breaking, breaks: Client, group: Security,
        title: "a security scheme went that operations still name",
        why: "Nobody can tell any more how these operations are logged in to.",
        inverse: "security-scheme-added",
        at: Document, old: "security: [{key: []}]",
        new: "{security: [{key: []}], components: {securitySchemes: {key: null}}}",
    }
    SCHEME_REMOVED_UNUSED = {
        id: "security-scheme-removed-unused", level: Info, breaks: Nobody, group: Security,
        title: "a security scheme went that no operation names any more",
        why: "Where an operation named it before, that is a finding of its own.",
        inverse: "security-scheme-added",
        at: Document, old: "components: {securitySchemes: {spare: {type: http, scheme: basic}}}", new: "{}",
    }
    SCHEME_CHANGED_UNUSED = {
        id: "security-scheme-changed-unused", level: Info, breaks: Nobody, group: Security,
        title: "a security scheme has changed that no operation names",
        why: "Nobody logs in by it.",
        inverse: "security-scheme-changed-unused",
        at: Document, old: "components: {securitySchemes: {spare: {type: http, scheme: basic}}}",
        new: "components: {securitySchemes: {spare: {type: http, scheme: bearer}}}",
    }
    SCHEME_RENAMED = {
        id: "security-scheme-renamed", level: Info, breaks: Nobody, group: Security,
        title: "a security scheme has another name",
        why: "The name is never sent.",
        inverse: "security-scheme-renamed",
        at: Document, old: "security: [{key: []}]",
        new: "{security: [{api: []}], paths: {/pets: {post: {security: [{api: []}, {login: []}, {web: []}]}}}, \
              components: {securitySchemes: {key: null, api: {type: apiKey, in: header, name: X-Key}}}}",
    }
    SCHEME_TYPE_CHANGED = {
        id: "security-scheme-type-changed", level: Breaking, breaks: Client, group: Security,
        title: "a security scheme has another type",
        why: "A client sends a credential that the server no longer reads.",
        inverse: "security-scheme-type-changed",
        at: Document, old: "{}", new: "components: {securitySchemes: {key: {type: http, scheme: bearer}}}",
    }
    HTTP_SCHEME_CHANGED = {
        id: "security-http-scheme-changed", level: Breaking, breaks: Client, group: Security,
        title: "the scheme of the Authorization header is another one",
        why: "A client that sends the old one is answered with 401.",
        inverse: "security-http-scheme-changed",
        at: Document, old: "components: {securitySchemes: {web: {type: http, scheme: basic}}}",
        new: "components: {securitySchemes: {web: {type: http, scheme: bearer}}}",
    }
    BEARER_FORMAT_CHANGED = {
        id: "security-bearer-format-changed", level: Warning, breaks: Client, group: Security,
        title: "tokens are of another format",
        why: "A client that mints or reads its tokens has to do so in another way.",
        inverse: "security-bearer-format-changed",
        at: Document, old: "components: {securitySchemes: {web: {type: http, scheme: bearer}}}",
        new: "components: {securitySchemes: {web: {type: http, scheme: bearer, bearerFormat: JWT}}}",
    }
    TOKEN_MOVED = {
        id: "security-token-moved", level: Breaking, breaks: Client, group: Security,
        title: "the key is sent in another place or under another name",
        why: "A client that sends it in the old place is answered with 401.",
        inverse: "security-token-moved",
        at: Document, old: "{}", new: "components: {securitySchemes: {key: {name: X-Api-Key}}}",
    }
    OPENID_URL_CHANGED = {
        id: "security-openid-url-changed", level: Breaking, breaks: Client, group: Oauth,
        title: "the discovery document is at another address",
        why: "A client that has the old address finds no authorization server, or another one.",
        inverse: "security-openid-url-changed",
        at: Document,
        old: "components: {securitySchemes: {web: {type: openIdConnect, openIdConnectUrl: https://a.example/.well-known}}}",
        new: "components: {securitySchemes: {web: {type: openIdConnect, openIdConnectUrl: https://b.example/.well-known}}}",
    }
    FLOW_REMOVED = {
        id: "oauth-flow-removed", level: Breaking, breaks: Client, group: Oauth,
        title: "a way to obtain tokens went",
        why: "A client that obtains its tokens in this way gets no more of them.",
        inverse: "oauth-flow-added",
        at: Document,
        old: "components: {securitySchemes: {login: {flows: {password: {tokenUrl: https://login.example.com/token, scopes: {}}}}}}",
        new: "{}",
    }
    FLOW_ADDED = {
        id: "oauth-flow-added", level: Info, breaks: Server, group: Oauth,
        title: "there is another way to obtain tokens",
        why: "An authorization server must now offer it.",
        inverse: "oauth-flow-removed",
        at: Document, old: "{}",
        new: "components: {securitySchemes: {login: {flows: {password: {tokenUrl: https://login.example.com/token, scopes: {}}}}}}",
    }
    AUTHORIZATION_URL_CHANGED = {
        id: "oauth-authorization-url-changed", level: Breaking, breaks: Client, group: Oauth,
        title: "users are sent to another address to consent",
        why: "A client that sends them to the old address gets no code.",
        inverse: "oauth-authorization-url-changed",
        at: Document,
        old: "components: {securitySchemes: {login: {flows: {implicit: {authorizationUrl: https://login.example.com/a, scopes: {}}}}}}",
        new: "components: {securitySchemes: {login: {flows: {implicit: {authorizationUrl: https://login.example.com/b, scopes: {}}}}}}",
    }
    TOKEN_URL_CHANGED = {
        id: "oauth-token-url-changed", level: Breaking, breaks: Client, group: Oauth,
        title: "tokens are obtained at another address",
        why: "A client that asks at the old address gets none, and may hand its secret to a stranger.",
        inverse: "oauth-token-url-changed",
        at: Document, old: "{}",
        new: "components: {securitySchemes: {login: {flows: {clientCredentials: {tokenUrl: https://id.example.com/token}}}}}",
    }
    REFRESH_URL_CHANGED = {
        id: "oauth-refresh-url-changed", level: Breaking, breaks: Client, group: Oauth,
        title: "tokens are refreshed at another address",
        why: "A client that refreshes at the old address loses its session.",
        inverse: "oauth-refresh-url-changed",
        at: Document, old: "{}",
        new: "components: {securitySchemes: {login: {flows: {clientCredentials: {refreshUrl: https://login.example.com/refresh}}}}}",
    }
    OAUTH_SCOPE_REMOVED = {
        id: "oauth-scope-removed", level: Breaking, breaks: Client, group: Oauth,
        title: "a scope can no longer be asked for",
        why: "A client that asks for it is refused with invalid_scope.",
        inverse: "oauth-scope-added",
        at: Document, old: "{}",
        new: "components: {securitySchemes: {login: {flows: {clientCredentials: {scopes: {write: null}}}}}}",
    }
    OAUTH_SCOPE_ADDED = {
        id: "oauth-scope-added", level: Info, breaks: Server, group: Oauth,
        title: "there is another scope to ask for",
        why: "An authorization server must now grant it.",
        inverse: "oauth-scope-removed",
        at: Document, old: "{}",
        new: "components: {securitySchemes: {login: {flows: {clientCredentials: {scopes: {admin: All of it}}}}}}",
    }
    CHALLENGE_REMOVED = {
        id: "challenge-header-removed", level: Breaking, breaks: Client, group: Security,
        title: "an answer no longer carries WWW-Authenticate",
        why: "A client that reads the challenge can no longer tell an expired token from a missing scope.",
        inverse: "challenge-header-added",
        at: Operation,
        old: "responses: {'401': {description: Who are you?, headers: {WWW-Authenticate: {schema: {type: string}}}}}",
        new: "responses: {'401': {description: Who are you?}}",
    }
    CHALLENGE_ADDED = {
        id: "challenge-header-added", level: Info, breaks: Server, group: Security,
        title: "an answer now carries WWW-Authenticate",
        why: "A server must now send the challenge.",
        inverse: "challenge-header-removed",
        at: Operation,
        old: "responses: {'401': {description: Who are you?}}",
        new: "responses: {'401': {description: Who are you?, headers: {WWW-Authenticate: {schema: {type: string}}}}}",
    }
}
