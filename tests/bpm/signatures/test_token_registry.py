"""Tokens as issuers make them: by either name of Ed25519, with headers of their own, by long keys."""

import base64
import json
from typing import Any

import pytest
from joserfc import jwk, jws
from joserfc.jws import JWSRegistry

from bpm.signatures.public_keys import MAX_RSA_BITS
from bpm.signatures.scheme import Scheme
from bpm.signatures.signed_request import SignatureRefusal
from bpm.signatures.token_registry import MAX_SIGNATURE, TokenRegistry
from bpm.signatures.tokens import load_keys, read_claims

SCHEME = Scheme("token", "jwt")
CLAIMS = {"sub": "somebody"}
ED25519 = jwk.OKPKey.generate_key("Ed25519", {"kid": "ed"})
ELLIPTIC = jwk.ECKey.generate_key("P-256", {"kid": "ec"})


def signed(key: Any, **header: Any) -> str:
    """Sign as an issuer does that knows more than we do."""
    registry: JWSRegistry = TokenRegistry(algorithms=[header["alg"]], strict_check_header=False)
    return jws.serialize_compact(header, json.dumps(CLAIMS).encode(), key, registry=registry)


def key_set(key: Any, **more: Any) -> Any:
    return load_keys(json.dumps({"keys": [{**key.as_dict(private=False), **more}]}))


@pytest.mark.parametrize("marked", [{}, {"alg": "EdDSA"}, {"alg": "Ed25519"}])
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_ed25519_has_two_names(algorithm: str, marked: dict[str, str]) -> None:
    """RFC 8037 calls it by one, RFC 9864 by the other; the key may be marked for either."""
    assert read_claims(SCHEME, signed(ED25519, alg=algorithm), key_set(ED25519, **marked)) == CLAIMS


def test_a_rule_that_names_algorithms_takes_no_others() -> None:
    """By the names that it lists."""
    scheme = Scheme("token", "jwt", algorithms=("Ed25519",))
    assert read_claims(scheme, signed(ED25519, alg="Ed25519"), key_set(ED25519)) == CLAIMS
    with pytest.raises(SignatureRefusal, match="another algorithm than Ed25519"):
        read_claims(scheme, signed(ED25519, alg="EdDSA"), key_set(ED25519))


@pytest.mark.parametrize("more", [{"ver": "1.0"}, {"x5c": ["MIIB" + "A" * 3000]}, {"jku": "https://evil.example/keys"}])
def test_what_a_header_says_besides_is_passed_over(more: dict[str, Any]) -> None:
    """RFC 7515, section 4: what is not understood is ignored; keys that it brings along are not looked at."""
    assert read_claims(SCHEME, signed(ELLIPTIC, alg="ES256", **more), key_set(ELLIPTIC)) == CLAIMS


def test_what_must_be_understood_is() -> None:
    """A header that calls critical what nobody knows here is refused, however well it is signed."""
    head = _base64url(json.dumps({"alg": "EdDSA", "crit": ["exp"], "exp": 1}).encode())
    content = f"{head}.{_base64url(json.dumps(CLAIMS).encode())}"
    private: Any = ED25519.private_key
    with pytest.raises(SignatureRefusal):
        read_claims(SCHEME, f"{content}.{_base64url(private.sign(content.encode()))}", key_set(ED25519))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_longest_key_s_signature_is_read() -> None:
    """Base64url without padding has four characters for three bytes."""
    assert MAX_RSA_BITS / 8 * 4 / 3 <= MAX_SIGNATURE
