"""ID tokens (OpenID Connect Core, section 2): what a provider of single sign-on says about who signed in there."""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from bpm.signatures.scheme import Scheme
from bpm.signatures.signed_request import SignatureRefusal
from bpm.signatures.token_registry import ALGORITHMS
from bpm.signatures.tokens import TokenKey, UnknownKey, read_claims

LEEWAY_SECONDS = 60
"""How far the clocks of provider and server may differ."""
MAX_TOKEN = 64 * 1024
FAR_AWAY = 1e12
"""More seconds than any clock shows."""

ALSO_CALLED = {"https://accounts.google.com": "accounts.google.com"}
"""Issuers that write their name otherwise in tokens (https://developers.google.com/identity/openid-connect)."""

_SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")
_SIGNED = Scheme("id token", "jwt", algorithms=ALGORITHMS)
"""Signed by a public key: a token without signature, or by a shared secret, is none."""


class IdTokenError(ValueError):
    """An ID token does not prove anything to us; the sentence says why."""


class UnknownTokenKey(IdTokenError):
    """The token is signed by no key among those that were fetched; there may be newer ones."""


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """What a token must say to be meant for this sign-in."""

    issuer: str
    client_id: str
    nonce: str


@dataclass(frozen=True, slots=True)
class IdToken:
    """Who signed in: `subject` is the account's id at the issuer, `username` is what a new user would be called."""

    issuer: str
    subject: str
    username: str
    groups: frozenset[str]


def read_id_token(text: str, keys: Iterable[TokenKey], expected: ExpectedToken, now: float) -> dict[str, Any]:
    """Return what a token claims.

    Raises `IdTokenError` unless it is signed, meant for us, fresh and of this sign-in.
    """
    if len(text) > MAX_TOKEN:
        raise IdTokenError(f"the ID token has more than {MAX_TOKEN} characters")
    try:
        claims = read_claims(_SIGNED, text, keys)
    except UnknownKey as refusal:
        raise UnknownTokenKey(str(refusal)) from None
    except SignatureRefusal as refusal:
        # keys without an id can't be told apart by what the token names
        raise (UnknownTokenKey if refusal.part == "signature" else IdTokenError)(str(refusal)) from None
    _check_parties(claims, expected)
    _check_times(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode("utf-8", "replace"), expected.nonce.encode()):
        raise IdTokenError("the ID token belongs to another sign-in (nonce)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise IdTokenError("the ID token has no subject (sub) of 1 to 255 ASCII characters")
    return claims


def _check_parties(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    """See section 3.1.3.7: who issued the token, for whom, and which of several clients asked for it."""
    if claims.get("iss") not in (expected.issuer, ALSO_CALLED.get(expected.issuer, expected.issuer)):
        raise IdTokenError("the ID token is of another issuer (iss)")
    audience = claims.get("aud")
    audiences = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise IdTokenError("the ID token is meant for another client (aud)")
    if claims.get("azp", None if len(audiences) > 1 else expected.client_id) != expected.client_id:
        raise IdTokenError("the ID token was issued to another client (azp)")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    ends, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    begins = _seconds(claims, "nbf") if claims.get("nbf") is not None else issued
    if ends <= now - LEEWAY_SECONDS:
        raise IdTokenError("the ID token has ended (exp); do the clocks of provider and server agree?")
    if max(issued, begins) > now + LEEWAY_SECONDS:
        raise IdTokenError("the ID token is of the future (iat, nbf); do the clocks of provider and server agree?")


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < FAR_AWAY:
        raise IdTokenError(f"the ID token's {name} is missing or not seconds since 1970")
    return value
