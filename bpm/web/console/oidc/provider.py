"""The provider of single sign-on: where it is asked, and what it answers about a sign-in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog

from bpm.accounts.id_tokens import ExpectedToken, IdToken, IdTokenError, UnknownTokenKey, read_id_token
from bpm.accounts.provider_claims import ClaimNames, read_person
from bpm.clock import Clock
from bpm.errors import Unavailable
from bpm.security.net import AddressList
from bpm.security.net_targets import TargetError, Targets, read_url
from bpm.settings import Settings
from bpm.signatures.tokens import TokenKey, load_keys
from bpm.web.console.oidc.answers import json_object
from bpm.web.console.oidc.client import OK, SignOnClient, SignOnReply
from bpm.web.console.oidc.client_proof import ClientProofs, ProofWay, offered_ways
from bpm.web.console.oidc.document import PublishedDocument
from bpm.web.console.oidc.pending import PendingSignIn
from bpm.web.console.oidc.user_info import ask_user_info

log = structlog.get_logger("bpm.oidc")

CALLBACK = "/console/api/oidc/callback"
"""Where the provider leads browsers back to, below the address of this server."""
SERVER_ERRORS = 500
MAX_CODE = 4_096
MAX_SHOWN = 200
TENANT = "{tenantid}"
"""What Microsoft Entra ID writes where its description is for the accounts of many tenants."""


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What a provider publishes about itself (OpenID Connect Discovery, section 3), as far as it is used here."""

    authorization_endpoint: str
    token_endpoint: str
    keys_url: str
    proof_ways: tuple[ProofWay, ...]
    names_itself: bool
    """Whether its answers in the browser name it (RFC 9207)."""
    user_info_url: str | None
    """Where it tells further claims."""


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
        self._proofs = ClientProofs(self._oidc.client_id, self._oidc.client_secret)
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
        answer = await self._answer(metadata, code, pending)
        claims = await self._claims(metadata, str(answer["id_token"]), pending)
        names = ClaimNames(self._oidc.username_claim, self._oidc.groups_claim if self._oidc.roles else None)
        further = await self._further_claims(metadata, answer.get("access_token"), claims, names)
        return read_person(self.issuer, claims, further, names)

    async def _claims(self, metadata: ProviderMetadata, token: str, pending: PendingSignIn) -> dict[str, Any]:
        """Return what a token claims, by newer keys where those that are known did not sign it."""
        expected = ExpectedToken(self.issuer, self._oidc.client_id, pending.nonce)
        now = self._clock().timestamp()
        try:
            return read_id_token(token, await self._keys.get(metadata.keys_url), expected, now)
        except UnknownTokenKey:
            renewed = await self._keys.get(metadata.keys_url, is_missing_something=True)
            return read_id_token(token, renewed, expected, now)

    async def _further_claims(
        self, metadata: ProviderMetadata, access_token: object, claims: Mapping[str, Any], names: ClaimNames
    ) -> Mapping[str, Any]:
        """Ask for what the token does not say; without an answer nobody's groups are taken for none."""
        lacking = names.lacking_in(claims)
        if not lacking or metadata.user_info_url is None:
            return {}
        try:
            return await ask_user_info(self._client, metadata.user_info_url, access_token, claims["sub"])
        except Unavailable as error:
            if names.groups in lacking:
                raise
            log.warning("single sign-on goes on without the user's name", reason=str(error))
            return {}

    async def _answer(self, metadata: ProviderMetadata, code: str, pending: PendingSignIn) -> dict[str, Any]:
        """Return what the provider answers to a code, an ID token in it."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": pending.verifier,
        }
        reply = await self._ask_token(metadata, form)
        if reply.status >= SERVER_ERRORS:
            raise Unavailable(f"the provider of single sign-on answered {reply.status} to the code")
        answer = json_object(reply.body)
        if reply.status != OK or not isinstance(answer.get("id_token"), str):
            said = answer.get("error")
            told = f", {said[:100]!r}" if isinstance(said, str) else ""
            raise IdTokenError(f"the provider answered {reply.status}{told} and gave no ID token for the code")
        return answer

    async def _ask_token(self, metadata: ProviderMetadata, form: dict[str, str]) -> SignOnReply:
        """Send a code; a client that is not recognised proves itself the other way, once: the code is not spent yet."""
        first, *others = self._proofs.in_turn(metadata.proof_ways)
        reply = await self._client.post(metadata.token_endpoint, first.headers, form | first.fields)
        if not others or json_object(reply.body).get("error") != "invalid_client":
            return reply
        self._proofs.prefer(others[0])
        return await self._client.post(metadata.token_endpoint, others[0].headers, form | others[0].fields)

    def _read_metadata(self, body: bytes) -> ProviderMetadata:
        found = json_object(body)
        _check_issuer(found.get("issuer"), self.issuer)
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        authorization, token, keys = (_address(found, name) for name in names)
        ways = offered_ways(found.get("token_endpoint_auth_methods_supported"))
        names_itself = found.get("authorization_response_iss_parameter_supported") is True
        user_info = _address(found, "userinfo_endpoint") if found.get("userinfo_endpoint") else None
        return ProviderMetadata(authorization, token, keys, ways, names_itself, user_info)


def _check_issuer(found: object, expected: str) -> None:
    """Raise `ValueError` for a description of another issuer, and say how this one calls itself."""
    if found == expected:
        return
    called = f"it calls itself {found[:MAX_SHOWN]!r}" if isinstance(found, str) else "it does not say its issuer"
    hint = "; write the id of your tenant in the address" if isinstance(found, str) and TENANT in found else ""
    raise ValueError(f"it is of another issuer than BPM_OIDC__ISSUER, {expected!r}: {called}{hint}")


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
