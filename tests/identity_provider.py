"""A provider of OpenID Connect on loopback: it signs real tokens, holds clients to the rules, misbehaves on demand."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

from joserfc import jwk, jws
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from bpm.testing import WebhookReceiver

CLIENT_ID, CLIENT_SECRET = "bus", "secret of the client: 100 %"
DISCOVERY = "/.well-known/openid-configuration"


@cache
def new_key(kid: str) -> jwk.RSAKey:
    """Return a key pair; the one of an id is made once."""
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class ProviderAccount:
    """Somebody whom the provider knows."""

    subject: str
    name: str
    groups: list[str] = field(default_factory=list[str])


@dataclass
class IssuedCode:
    """A code that was given to a browser, and what it stands for."""

    account: ProviderAccount
    asked: dict[str, str]


class IdentityProvider(WebhookReceiver):
    """Signs `account` in at once, or after a click where `asks_first`; `claims` change what tokens say.

    `answers` replaces what stands at a path; `sign` replaces how tokens are signed. `user_info` is what the userinfo
    endpoint tells beside the subject; without it there is none. `place` is the path of the issuer.
    """

    def __init__(self, place: str = "") -> None:
        super().__init__()
        self.place = place
        self.user_info: dict[str, Any] | None = None
        self.further_keys: list[dict[str, Any]] = []
        self._access_tokens: dict[str, str] = {}
        self.account = ProviderAccount("subject-1", "vera", ["bus-viewers"])
        self.key = new_key("one")
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.answers: dict[str, Callable[[], Response]] = {}
        self.delays: dict[str, float] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.asks_first = False
        self.asked: list[str] = []
        self._codes: dict[str, IssuedCode] = {}

    @property
    def issuer(self) -> str:
        """How the provider calls itself."""
        return f"{self.url}{self.place}"

    def environment(self, **further: str) -> dict[str, str]:
        """Return the settings of a server that lets this provider's accounts in."""
        return {
            "BPM_OIDC__ISSUER": self.issuer,
            "BPM_OIDC__CLIENT_ID": CLIENT_ID,
            "BPM_OIDC__CLIENT_SECRET": CLIENT_SECRET,
            "BPM_OIDC__NAME": "Bank login",
            "BPM_OIDC__ALLOWED_NETWORKS": "127.0.0.0/8",
            **further,
        }

    def signed(self, claims: Mapping[str, Any], key: Any = None, **header: Any) -> str:
        """Return a token."""
        protected = {"alg": "RS256", "kid": "one", **header}
        payload = json.dumps(claims).encode()
        return jws.serialize_compact(protected, payload, key or self.key, algorithms=[protected["alg"]])

    def leads_back(self, url: str, **changes: str) -> str:
        """Sign the account in and return where its browser is led back to."""
        asked = dict(parse_qsl(url.partition("?")[2]))
        code = secrets.token_urlsafe(16)
        self._codes[code] = IssuedCode(self.account, asked)
        fields = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        return f"{asked['redirect_uri']}?{urlencode(fields)}"

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        self.asked.append(path)
        await asyncio.sleep(self.delays.get(path, 0))
        below = path.removeprefix(self.place.rstrip("/"))
        answer = self.answers[path]() if path in self.answers else await self._answer(below, request)
        await answer(scope, receive, send)

    async def _answer(self, path: str, request: Request) -> Response:
        match path:
            case "/.well-known/openid-configuration":
                return JSONResponse(self._metadata())
            case "/keys":
                return JSONResponse({"keys": [*self.further_keys, self.key.as_dict(private=False)]})
            case "/userinfo" if self.user_info is not None:
                return self._user_info(request.headers.get("authorization", "").removeprefix("Bearer "))
            case "/authorize" if self.asks_first:
                again = f"/signed-in?{request.url.query}"
                return HTMLResponse(f"<title>Provider</title><h1>Provider</h1><a href='{again}'>Go on as vera</a>")
            case "/authorize" | "/signed-in":
                return RedirectResponse(self.leads_back(str(request.url)), 303)
            case "/token":
                return self._token(
                    request.headers.get("authorization", ""), dict(parse_qsl((await request.body()).decode()))
                )
            case _:
                return Response("nothing here", 404)

    def _metadata(self) -> dict[str, Any]:
        here = self.issuer.rstrip("/")
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            **({} if self.user_info is None else {"userinfo_endpoint": f"{here}/userinfo"}),
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def _token(self, authorization: str, form: dict[str, str]) -> Response:
        """Give a token for a code, once, to the client that asked for it and holds the verifier."""
        if not self._is_client(authorization, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        issued = self._codes.pop(form.get("code", ""), None)
        if issued is None or issued.asked["redirect_uri"] != form.get("redirect_uri"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != issued.asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe(16)
        self._access_tokens[access_token] = issued.account.subject
        return JSONResponse({"access_token": access_token, "token_type": "Bearer", "id_token": self._id_token(issued)})

    def _user_info(self, access_token: str) -> Response:
        subject = self._access_tokens.get(access_token)
        if subject is None:
            return Response("", 401)
        return JSONResponse({"sub": subject, **(self.user_info or {})})

    def _is_client(self, authorization: str, form: dict[str, str]) -> bool:
        if "client_secret" in form:
            return (form.get("client_id"), form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote_plus(pair[0]), unquote_plus(pair[2])) == (CLIENT_ID, CLIENT_SECRET)

    def _id_token(self, issued: IssuedCode) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": issued.account.subject,
            "iat": now,
            "exp": now + 300,
            "nonce": issued.asked["nonce"],
            "preferred_username": issued.account.name,
            "groups": issued.account.groups,
            **self.claims,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None})
