"""An OpenID Connect provider in a process of its own, on loopback: real codes, PKCE, RS256; faulty when it is told to.

    python -m tests.web.security.provider

prints its address. `POST /fault` with a name of `FAULTS` spoils the next token; `POST /person` says who is there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "workstation", "s3cret: with / signs"
FAULTS = ("issuer", "audience", "expired", "nonce", "no nonce", "other key", "no signature", "shared secret", "future",
          "changed", "no token", "azp", "no name", "at_hash")  # fmt: skip


class Provider(BaseHTTPRequestHandler):
    """Answers."""

    key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    stranger = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    issuer = ""
    person: Any = "tang"
    verified = True
    fault = ""
    codes: dict[str, dict[str, str]] = {}  # noqa: RUF012
    asked_keys = 0

    def do_GET(self) -> None:
        """Discovery, keys, the place where people sign in."""
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(
                {
                    "issuer": Provider.issuer, "authorization_endpoint": Provider.issuer + "/authorize",
                    "token_endpoint": Provider.issuer + "/token", "jwks_uri": Provider.issuer + "/keys",
                }
            )  # fmt: skip
        elif parts.path == "/keys":
            Provider.asked_keys += 1
            self._json({"keys": [Provider.key.as_dict(private=False)]})
        elif parts.path == "/asked":
            self._json({"keys": Provider.asked_keys})
        elif parts.path == "/authorize":
            given = {name: values[0] for name, values in parse_qs(parts.query).items()}
            assert given["response_type"] == "code" and given["client_id"] == CLIENT
            assert given["code_challenge_method"] == "S256" and "openid" in given["scope"].split()
            code = secrets.token_urlsafe(16)
            Provider.codes[code] = given
            self.send_response(302)
            self.send_header(
                "Location", given["redirect_uri"] + "?" + urlencode({"code": code, "state": given["state"]})
            )
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """A token for a code; what the test wants."""
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/fault":
            Provider.fault = content
            self._json({})
        elif self.path == "/person":
            told = json.loads(content)
            Provider.person, Provider.verified = told["person"], told.get("verified", True)
            self._json({})
        elif self.path == "/new-key":
            Provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
            self._json({})
        elif self.path == "/token":
            self._token({name: values[0] for name, values in parse_qs(content).items()})
        else:
            self.send_error(404)

    def _token(self, given: dict[str, str]) -> None:
        login = base64.b64decode(self.headers.get("Authorization", "Basic Og==").split()[1]).decode().split(":", 1)
        asked = Provider.codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        right = (
            asked is not None and [unquote(part) for part in login] == [CLIENT, SECRET]
            and asked["code_challenge"] == challenge and asked["redirect_uri"] == given.get("redirect_uri")
        )  # fmt: skip
        if not right or asked is None:
            self._json({"error": "invalid_grant"}, 400)
            return
        fault, Provider.fault = Provider.fault, ""
        now, access = int(time.time()), secrets.token_urlsafe(16)
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims: dict[str, Any] = {
            "iss": Provider.issuer, "sub": "248289761001", "aud": CLIENT, "exp": now + 300, "iat": now,
            "nonce": asked["nonce"], "preferred_username": Provider.person, "email": Provider.person,
            "email_verified": Provider.verified, "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        }  # fmt: skip
        claims |= {
            "issuer": {"iss": "https://elsewhere.example"}, "audience": {"aud": "another"},
            "expired": {"exp": now - 3600, "iat": now - 7200}, "nonce": {"nonce": "of somebody else"},
            "future": {"nbf": now + 3600}, "azp": {"aud": [CLIENT, "other"], "azp": "other"},
            "at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        }.get(fault, {})  # fmt: skip
        if fault == "no nonce":
            del claims["nonce"]
        if fault == "no name":
            del claims["preferred_username"]
        token = self._signed(claims, fault)
        if fault == "changed":
            head, _, tail = token.split(".")
            body = base64.urlsafe_b64encode(json.dumps(claims | {"preferred_username": "ada"}).encode())
            token = ".".join((head, body.decode().rstrip("="), tail))
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token}
        if fault == "no token":
            del answer["id_token"]
        self._json(answer)

    def _signed(self, claims: dict[str, Any], fault: str) -> str:
        if fault == "no signature":
            parts = ({"alg": "none", "kid": "one"}, claims)
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + "."
            )
        if fault == "shared secret":
            # The public key as the secret of a symmetric signature: the oldest trick against JWT.
            parts = [{"alg": "HS256", "kid": "one"}, claims]
            body = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts)
            made = hmac.new(Provider.key.as_pem(private=False), body.encode(), hashlib.sha256).digest()
            return f"{body}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"
        key = Provider.stranger if fault == "other key" else Provider.key
        return jwt.encode({"alg": "RS256", "kid": key.kid or "one"}, claims, key, algorithms=["RS256"])

    def _json(self, document: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_told: object) -> None:
        """Nothing."""


def main() -> None:
    """Serve until it is killed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    Provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    print(Provider.issuer, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
