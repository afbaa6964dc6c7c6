"""Access tokens hold for their time, for their key and for their algorithm only."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from bpm.security.secrets import derive_key, key_id
from bpm.security.tokens import AUDIENCE, ISSUER, AccessClaims, AccessTokens, TokenError, TokenExpired

KEY = b"a key of thirty-two bytes or more"
OWN = derive_key(KEY, "signing")
NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "7",
    "jti": "j",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 900,
    "ver": 0,
    "fam": "f",
}


def tokens(key: bytes = KEY) -> AccessTokens:
    return AccessTokens(key, timedelta(seconds=900))


def signed(claims: dict[str, Any], **header: Any) -> str:
    """Sign claims with the right key, changing only what a test is about."""
    protected = {"alg": "HS256", "typ": "at+jwt", "kid": key_id(OWN), **header}
    return jwt.encode(protected, claims, OctKey.import_key(OWN), [protected["alg"]])


def test_a_token_says_whose_it_is() -> None:
    """Verifying gives back user, version, family and end."""
    token = tokens().issue(7, 3, "family", NOW)
    assert tokens().verify(token, NOW) == AccessClaims(7, 3, "family", NOW + timedelta(seconds=900))


def test_the_hand_made_token_of_these_tests_is_right() -> None:
    """The token from which the wrong ones below are made verifies, so each fails for its own fault."""
    assert tokens().verify(signed(CLAIMS), NOW).user_id == 7


def test_no_two_tokens_are_alike() -> None:
    """Two tokens for the same user at the same moment have different ids."""
    assert tokens().issue(7, 3, "family", NOW) != tokens().issue(7, 3, "family", NOW)


def test_a_token_ends_at_its_second() -> None:
    """A token holds until one second before its end and is called expired from then on."""
    token = tokens().issue(7, 0, "f", NOW)
    assert tokens().verify(token, NOW + timedelta(seconds=899)).user_id == 7
    with pytest.raises(TokenExpired):
        tokens().verify(token, NOW + timedelta(seconds=900))


def test_another_installation_s_token_is_refused() -> None:
    """A token signed with another key is refused."""
    with pytest.raises(TokenError):
        tokens(b"another key of thirty-two bytes..").verify(tokens().issue(7, 0, "f", NOW), NOW)


def test_a_forged_expired_token_is_not_called_expired() -> None:
    """The signature is looked at before the time, so a forger learns nothing."""
    token = tokens(b"another key of thirty-two bytes..").issue(7, 0, "f", NOW)
    with pytest.raises(TokenError) as caught:
        tokens().verify(token, NOW + timedelta(days=1))
    assert not isinstance(caught.value, TokenExpired)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"aud": "another-api"},
        {"aud": None},
        {"sub": ""},
        {"sub": "seven"},
        {"sub": 7},
        {"exp": "tomorrow"},
        {"exp": None},
        {"exp": 1e300},
        {"ver": "x"},
        {"ver": None},
        {"fam": None},
        {"jti": None},
        {"iss": ["bpm-bus", 3]},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(change: dict[str, Any]) -> None:
    """A rightly signed token with a wrong or missing claim is refused."""
    with pytest.raises(TokenError):
        tokens().verify(signed({k: v for k, v in (CLAIMS | change).items() if v is not None}), NOW)


@pytest.mark.parametrize("header", [{"alg": "HS384"}, {"alg": "HS512"}, {"typ": "JWT"}, {"kid": "other"}], ids=str)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_wrong_header_is_refused(header: dict[str, Any]) -> None:
    """The right key under another algorithm, type or key id is refused."""
    with pytest.raises(TokenError):
        tokens().verify(signed(CLAIMS, **header), NOW)


def test_an_unsigned_token_is_refused() -> None:
    """The algorithm `none`, in any writing and with any signature, is refused."""
    payload = tokens().issue(7, 0, "f", NOW).split(".")[1]
    for algorithm in ("none", "None", "NONE", "nOnE"):
        header = {"alg": algorithm, "typ": "at+jwt", "kid": key_id(OWN)}
        first = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        for signature in ("", "AAAA"):
            with pytest.raises(TokenError):
                tokens().verify(f"{first}.{payload}.{signature}", NOW)


def test_a_token_of_another_kind_of_key_is_refused() -> None:
    """A token signed with RS256 is refused."""
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key_id(OWN)}
    token = jwt.encode(header, CLAIMS, RSAKey.generate_key(2048), ["RS256"])
    with pytest.raises(TokenError):
        tokens().verify(token, NOW)


def test_every_changed_character_is_noticed() -> None:
    """A token with any one character of its header or claims changed is refused."""
    token = tokens().issue(7, 0, "f", NOW)
    for place in range(token.rindex(".")):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(TokenError):
            tokens().verify(changed, NOW)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "e30.e30.", "\ud800.x.y", "é.é.é", "A" * 1_000_000, "e30" * 9]
)
def test_nonsense_is_refused(text: str) -> None:
    """Anything that is no token at all is refused without a crash."""
    with pytest.raises(TokenError):
        tokens().verify(text, NOW)
