"""The provider of single sign-on: where it is asked, and what it answers about a sign-in."""

import base64
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote_plus, urlencode

import structlog

from bpm.accounts.id_tokens import ExpectedToken, IdToken, IdTokenError, UnknownTokenKey, read_id_token
from bpm.clock import Clock
from bpm.errors import Unavailable
from bpm.security.net import AddressList
from bpm.security.net_targets import TargetError, Targets, read_url
from bpm.settings import Settings
from bpm.signatures.tokens import TokenKey, load_keys
from bpm.strict_json import parse_json
from bpm.web.console.oidc.client import OK, SignOnClient
from bpm.web.console.oidc.document import PublishedDocument
from bpm.web.console.oidc.pending import PendingSignIn

log = structlog.get_logger("bpm.oidc")

CALLBACK = "/console/api/oidc/callback"
"""Where the provider leads browsers back to, below the address of this server."""
SERVER_ERRORS = 500
MAX_CODE = 4_096


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a provider publishes about itself (OpenID Connect Discovery, section 3), as far as it is used here."""

    authorization_endpoint: str
    token_endpoint: str
    keys_url: str
    takes_basic: bool
    names_itself: bool
    """Whether its answers in the browser name it (RFC 9207)."""


class SignOnProvider:
    """Asks the provider that the settings name; what it publishes is remembered for an hour."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Take the settings, whose `issuer` must be set before anything is asked, and the clock of tokens."""
        self._oidc = settings.oidc
        self._clock = clock
        targets = Targets(AddressList.parse(self._oidc.allowed_networks), "BPM_OIDC__ALLOWED_NETWORKS")
        self._client = SignOnClient(targets)
        self._metadata = PublishedDocument(self._client, self._read_metadata)
        self._keys = PublishedDocument(self._client, _read_keys)
        self.issuer = self._oidc.issuer or ""
        self.redirect_uri = f"{settings.base_url}{CALLBACK}"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def metadata(self) -> ProviderMetadata:
        """Return what the provider publishes; raises `Unavailable`."""
        return await self._metadata.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")

    async def authorization_url(self, pending: PendingSignIn) -> str:
        """Return where a browser goes to sign in; raises `Unavailable`."""
        endpoint = (await self.metadata()).authorization_endpoint
        asked = {
            "response_type": "code",
            "client_id": self._oidc.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self._oidc.scopes,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": pending.challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def exchange(self, code: str, pending: PendingSignIn) -> IdToken:
        """Exchange a code for what the provider says about who signed in.

        Raises `IdTokenError` when it is not said or not proven, and `Unavailable`.
        """
        if len(code) > MAX_CODE:
            raise IdTokenError(f"the code has more than {MAX_CODE} characters")
        metadata = await self.metadata()
        token = await self._id_token(metadata, code, pending)
        oidc = self._oidc
        expected = ExpectedToken(self.issuer, oidc.client_id, pending.nonce, oidc.username_claim, oidc.groups_claim)
        now = self._clock().timestamp()
        try:
            return read_id_token(token, await self._keys.get(metadata.keys_url), expected, now)
        except UnknownTokenKey:
            renewed = await self._keys.get(metadata.keys_url, is_missing_something=True)
            return read_id_token(token, renewed, expected, now)

    async def _id_token(self, metadata: ProviderMetadata, code: str, pending: PendingSignIn) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": pending.verifier,
        }
        headers: dict[str, str] = {}
        secret = self._oidc.client_secret.get_secret_value() if self._oidc.client_secret is not None else None
        if secret is not None and metadata.takes_basic:
            headers["authorization"] = _basic(self._oidc.client_id, secret)
        else:
            form["client_id"] = self._oidc.client_id
            form |= {"client_secret": secret} if secret is not None else {}
        reply = await self._client.post(metadata.token_endpoint, headers, form)
        if reply.status >= SERVER_ERRORS:
            raise Unavailable(f"the provider of single sign-on answered {reply.status} to the code")
        answer = _object(reply.body)
        token = answer.get("id_token")
        if reply.status != OK or not isinstance(token, str):
            said = answer.get("error")
            told = f", {said[:100]!r}" if isinstance(said, str) else ""
            raise IdTokenError(f"the provider answered {reply.status}{told} and gave no ID token for the code")
        return token

    def _read_metadata(self, body: bytes) -> ProviderMetadata:
        found = _object(body)
        if found.get("issuer") != self.issuer:
            raise ValueError(f"it is of another issuer than BPM_OIDC__ISSUER, {self.issuer}")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        authorization, token, keys = (_address(found, name) for name in names)
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        names_itself = found.get("authorization_response_iss_parameter_supported") is True
        return ProviderMetadata(authorization, token, keys, "client_secret_basic" in methods, names_itself)


def _address(found: dict[str, Any], name: str) -> str:
    address = found.get(name)
    try:
        return read_url(address if isinstance(address, str) else "").url
    except TargetError as error:
        raise ValueError(f"{name} {error}") from None


def _read_keys(body: bytes) -> tuple[TokenKey, ...]:
    text = body.decode()
    if not text.lstrip().startswith("{"):
        raise ValueError("it is no set of keys")  # another text would be taken for a shared secret
    return load_keys(text)


def _object(body: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    try:
        value = parse_json(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _basic(client_id: str, secret: str) -> str:
    """Write a client's credentials (RFC 6749, section 2.3.1): each is form-encoded before it is joined."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
