"""An authorization server of Authlib on a free port of this machine, for tests/authlib_provider.rs. It prints the private key of its
client `signing`, and its URL when it is ready, and ends when its input does.

Users consent by themselves, on another device too.
"""

import json
import os
import secrets
import sys
import threading
import time

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion, JWTBearerGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import (
    DeviceAuthorizationEndpoint,
    DeviceCodeGrant,
    DeviceCredentialDict,
)
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Flask, jsonify, request
from joserfc.jwk import ECKey
from werkzeug.serving import make_server

REDIRECT = "https://app.example.com/callback"
DEVICE = DeviceCodeGrant.GRANT_TYPE
BEARER = JWTBearerGrant.GRANT_TYPE
SECRET = "p%s+w &=:".ljust(40, "x")
USER = "alice"
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
ISSUER = ""


class Client(ClientMixin):
    def __init__(self, client_id, method, *grant_types):
        self.client_id, self.method, self.grant_types = client_id, method, grant_types

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return REDIRECT

    def get_allowed_scope(self, scope):
        return " ".join(s for s in (scope or "").split() if s in ("read", "write", "offline_access"))

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri == REDIRECT

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(client_secret, SECRET)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.method

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in self.grant_types


USERS = ("authorization_code", "refresh_token")
CLIENTS = {
    client.client_id: client
    for client in (
        Client("my:client", "client_secret_basic", *USERS, "client_credentials"),
        Client("post", "client_secret_post", *USERS, "client_credentials"),
        Client("public", "none", *USERS, DEVICE),
        Client("signing", JWTBearerClientAssertion.CLIENT_AUTH_METHOD, "client_credentials", BEARER),
    )
}
CODES, TOKENS, DEVICES, USED = {}, [], {}, set()


class Code(AuthorizationCodeMixin):
    def __init__(self, code, asked):
        self.code, self.client_id = code, asked.client.client_id
        self.redirect_uri, self.scope = asked.payload.redirect_uri, asked.payload.scope
        self.code_challenge = asked.payload.data.get("code_challenge")
        self.code_challenge_method = asked.payload.data.get("code_challenge_method")

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


class Token(TokenMixin):
    def __init__(self, token, client, user):
        self.client, self.user, self.issued_at, self.revoked = client, user, int(time.time()), False
        self.access_token, self.refresh_token = token["access_token"], token.get("refresh_token")
        self.scope, self.expires_in = token.get("scope", ""), token["expires_in"]

    def check_client(self, client):
        return client is self.client

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_expired(self):
        return self.issued_at + self.expires_in < time.time()

    def is_revoked(self):
        return self.revoked

    def get_user(self):
        return self.user

    def get_client(self):
        return self.client


def token_of(text):
    return next((t for t in TOKENS if text in (t.access_token, t.refresh_token)), None)


class ServiceGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = [
        "client_secret_basic",
        "client_secret_post",
        JWTBearerClientAssertion.CLIENT_AUTH_METHOD,
    ]


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def save_authorization_code(self, code, asked):
        CODES[code] = Code(code, asked)

    def query_authorization_code(self, code, client):
        found = CODES.get(code)
        return found if found and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code):
        CODES.pop(authorization_code.code, None)

    def authenticate_user(self, authorization_code):
        return USER


class Refresh(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        found = token_of(refresh_token)
        if found and found.revoked:
            # A token that comes twice was stolen: all of this client end (RFC 9700, section 4.14.2).
            for token in TOKENS:
                token.revoked |= token.client is found.client
        return found if found and not found.revoked else None

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.revoked = True


class Device(DeviceCodeGrant):
    def query_device_credential(self, device_code):
        return DEVICES.get(device_code)

    def query_user_grant(self, user_code):
        # The first time nobody has looked at the code yet.
        if user_code in USED:
            return USER, True
        USED.add(user_code)
        return None

    def should_slow_down(self, credential):
        return False


class DeviceEndpoint(DeviceAuthorizationEndpoint):
    INTERVAL = 1
    CLIENT_AUTH_METHODS = ["none"]

    def get_verification_uri(self):
        return f"{ISSUER}/device"

    def save_device_credential(self, client_id, scope, data):
        DEVICES[data["device_code"]] = DeviceCredentialDict(
            client_id=client_id, scope=scope, expires_at=time.time() + data["expires_in"], **data
        )


class Assertion(JWTBearerClientAssertion):
    def get_audiences(self):
        return [f"{ISSUER}/token"]

    def validate_jti(self, claims, jti):
        is_new = jti not in USED
        USED.add(jti)
        return is_new

    def resolve_client_public_key(self, client):
        return KEY


class AssertionGrant(JWTBearerGrant):
    def get_audiences(self):
        return [f"{ISSUER}/token"]

    def resolve_issuer_client(self, issuer):
        return CLIENTS.get(issuer)

    def resolve_client_public_key(self, client):
        return KEY

    def authenticate_user(self, subject):
        return USER if subject == USER else None

    def has_granted_permission(self, client, user):
        return True


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]

    def query_token(self, token_string, token_type_hint):
        return token_of(token_string)

    def revoke_token(self, token, asked):
        token.revoked = True


class Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

    def query_token(self, token_string, token_type_hint):
        return token_of(token_string)

    def check_permission(self, token, client, asked):
        return True

    def introspect_token(self, token):
        return {
            "active": not token.revoked,
            "client_id": token.client.client_id,
            "sub": token.user,
            "scope": token.scope,
            "exp": token.issued_at + token.expires_in,
        }


class Issuer(IssuerParameter):
    def get_issuer(self):
        return ISSUER


app = Flask(__name__)
app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
server = AuthorizationServer(
    app,
    query_client=CLIENTS.get,
    save_token=lambda token, asked: TOKENS.append(Token(token, asked.client, asked.user)),
)
for grant in (ServiceGrant, Refresh, Device, AssertionGrant):
    server.register_grant(grant)
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
server.register_client_auth_method(Assertion.CLIENT_AUTH_METHOD, Assertion())
server.register_extension(Issuer())
for endpoint in (DeviceEndpoint, Revocation, Introspection):
    server.register_endpoint(endpoint)


@app.get("/.well-known/oauth-authorization-server")
def metadata():
    return jsonify(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        revocation_endpoint=f"{ISSUER}/revoke",
        introspection_endpoint=f"{ISSUER}/introspect",
        device_authorization_endpoint=f"{ISSUER}/device_authorization",
        authorization_response_iss_parameter_supported=True,
    )


@app.get("/authorize")
def authorize():
    user = None if request.args.get("login_hint") == "refuses" else USER
    grant = server.get_consent_grant(end_user=user)
    return server.create_authorization_response(grant=grant, grant_user=user)


@app.post("/token")
def token():
    return server.create_token_response()


@app.post("/revoke")
def revoke():
    return server.create_endpoint_response(Revocation.ENDPOINT_NAME)


@app.post("/introspect")
def introspect():
    return server.create_endpoint_response(Introspection.ENDPOINT_NAME)


@app.post("/device_authorization")
def device_authorization():
    return server.create_endpoint_response(DeviceEndpoint.ENDPOINT_NAME)


def main():
    global ISSUER
    listener = make_server("127.0.0.1", 0, app, threaded=True)
    ISSUER = f"http://127.0.0.1:{listener.server_port}"
    print("key", json.dumps(KEY.as_dict(private=True)), flush=True)
    print(ISSUER, flush=True)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    sys.stdin.read()


main()
