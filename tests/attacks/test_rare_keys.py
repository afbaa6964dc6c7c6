"""Keys and certificates of rare kinds: strangers send them, providers publish them beside others; none is a crash."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from joserfc import jwk, jws
from pydantic import ValidationError

from bpm.signatures import (
    SignatureConfig,
    SignatureRefusal,
    SignatureVerdict,
    TrustSources,
    check_published_keys,
    compile_signature,
)
from bpm.signatures.certificates import check_client, key_of
from tests.bpm.signatures.signing_keys import Authority, pair

NOW = 1_800_000_000.0
RSA_OID, UNKNOWN_OID = bytes.fromhex("06092a864886f70d010101"), bytes.fromhex("06092a864886f70d01017f")
P256_OID, UNKNOWN_CURVE = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f")
KEYS_URL = "https://keys.example.com/jwks"
PAGE = "<html><body>We are back in a moment, please be patient.</body></html>"


def in_pem(der: bytes, what: str = "CERTIFICATE") -> str:
    return f"-----BEGIN {what}-----\n{base64.encodebytes(der).decode()}-----END {what}-----\n"


def self_signed(key: Any, *extensions: tuple[str, str]) -> bytes:
    """Return a certificate in DER, with extensions given by their numbers and hexadecimal digits."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    moment = datetime.fromtimestamp(NOW, UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, moment - timedelta(1), moment + timedelta(1))
    for number, value in extensions:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(number), bytes.fromhex(value))
        builder = builder.add_extension(unknown, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_certificate_with_a_key_that_nobody_knows_is_refused() -> None:
    """Of an unknown kind, or on an unknown curve; a request may name such a certificate."""
    rsa = self_signed(pair("rsa").key).replace(RSA_OID, UNKNOWN_OID)
    curve = self_signed(pair("ecdsa").key).replace(P256_OID, UNKNOWN_CURVE)
    for der in (rsa, curve):
        with pytest.raises(SignatureRefusal, match="the provider's certificate can't be used"):
            key_of(in_pem(der), (), (), NOW)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("2.5.29.17", "3007a5053003020101"),  # a name of a kind that is not read: ediPartyName
        ("2.5.29.17", "ff"),
        ("2.5.29.19", "ff"),
    ],
)
def test_a_client_s_certificate_with_rare_names_is_refused(number: str, value: str) -> None:
    """A proxy may pass any certificate on; whoever makes one chooses what stands in it."""
    text = in_pem(self_signed(pair("ecdsa").key, (number, value)))
    for name in ("", "client.example.com"):
        with pytest.raises(SignatureRefusal, match="the client's certificate does not count"):
            check_client(text, [Authority().pem], name, NOW)


def public_jwk(kind: str, number: int = 0) -> dict[str, Any]:
    made: Any = {"rsa": jwk.RSAKey, "ecdsa": jwk.ECKey}[kind]
    return made.import_key(pair(kind, number).public).as_dict(private=False)


def by_token(text: str | None = None, **fields: Any) -> SignatureConfig:
    given = {"scheme": "custom", "type": "jwt", "header": "X-Token", "audience": "us", "secret": text, **fields}
    return SignatureConfig.model_validate({name: value for name, value in given.items() if value is not None})


def judged(config: SignatureConfig, token: str, published: str = "") -> SignatureVerdict:
    verifier = compile_signature(config, str, TrustSources(lambda _url, _is_outdated=False, _is_sent=False: published))
    return verifier.verify(b"{}", {"x-token": token}, NOW)


def signed(number: int = 0) -> str:
    claims = json.dumps({"aud": "us", "exp": NOW + 60})
    return jws.serialize_compact({"alg": "RS256"}, claims, jwk.RSAKey.import_key(pair("rsa", number).private))


@pytest.mark.parametrize(
    "beside",
    [
        [{**public_jwk("ecdsa"), "crv": "P-999"}],
        [{"kty": "OKP", "crv": "brainpool", "x": "AAAA"}],
        [public_jwk("ecdsa")] * 6,
    ],
)
def test_keys_that_are_not_used_keep_no_other_away(beside: list[Any]) -> None:
    """Of a set, keys of unknown curves are passed over, and only those of the token's kind are tried."""
    published = json.dumps({"keys": [*beside, public_jwk("rsa")]})
    assert judged(by_token(keysUrl=KEYS_URL), signed(), published).ok
    assert judged(by_token(published), signed()).ok
    assert not judged(by_token(published), signed(1)).ok


def test_a_set_with_more_keys_than_are_read_is_refused_with_a_sentence() -> None:
    """It says so when it is saved, and when it is published: what stood behind the fiftieth key was passed over."""
    full = [public_jwk("ecdsa")] * 49
    assert judged(by_token(json.dumps({"keys": [*full, public_jwk("rsa")]})), signed()).ok
    large = json.dumps({"keys": [*full, public_jwk("ecdsa"), public_jwk("rsa")]})
    with pytest.raises(ValidationError, match="a set may have at most 50 keys, this one has 51"):
        by_token(large)
    with pytest.raises(ValueError, match="at most 50 keys"):
        check_published_keys(large)
    found = judged(by_token(keysUrl=KEYS_URL), signed(), large)
    assert (found.ok, found.cause) == (False, "a set may have at most 50 keys, this one has 51")


def test_a_token_without_a_key_s_id_is_told_how_many_keys_are_tried() -> None:
    """The sixth key of its kind is not, so that it is not said to be another's signature."""
    unnamed = [{name: value for name, value in public_jwk("rsa", number).items() if name != "kid"} for number in (1, 0)]
    many = json.dumps({"keys": [*unnamed[:1] * 5, unnamed[1]]})
    found = judged(by_token(many), signed())
    assert not found.ok
    assert "the first 5 keys" in found.cause
    assert judged(by_token(json.dumps({"keys": [*unnamed[:1] * 4, unnamed[1]]})), signed()).ok


def test_a_key_in_pem_that_nobody_knows_is_refused_when_it_is_saved() -> None:
    public = pair("rsa").key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    named = curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).replace(P256_OID, UNKNOWN_CURVE)
    for der in (public.replace(RSA_OID, UNKNOWN_OID), named):
        with pytest.raises(ValidationError, match="the key can't be read"):
            by_token(in_pem(der, "PUBLIC KEY"))


def test_what_an_address_shows_to_everybody_is_no_shared_secret() -> None:
    """A rule that takes HMACs, too, by a secret of its own, takes none by the text that the address answers."""

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    content = f"{part({'alg': 'HS256'})}.{part({'aud': 'us', 'exp': NOW + 60})}"
    proof = hmac.digest(PAGE.encode(), content.encode(), hashlib.sha256)
    forged = f"{content}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"
    mixed = by_token("a-secret-of-the-rule-with-32-bytes", keysUrl=KEYS_URL, algorithms=["RS256", "HS256"])
    found = judged(mixed, forged, PAGE)
    assert (found.ok, found.cause) == (
        False,
        "what is published there is neither a set of keys (JWKS) nor a key in PEM",
    )
    with pytest.raises(ValidationError, match="without a secret"):
        by_token(keysUrl=KEYS_URL, algorithms=["RS256", "HS256"])
