"""The other half of a public key, to sign as a provider would: for tests and the command line only."""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk, jws
from pydantic_core import to_json

from .encoded_keys import UNREADABLE, read_private_pem
from .public_keys import HASHES
from .scheme import Scheme
from .signed_request import SignedRequest, signed_url

TOKEN_SECONDS = 300
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
"""What tokens are signed with by a key on a curve."""


def sign_by_key(scheme: Scheme, content: bytes, pem: str) -> bytes:
    """Return the signature of these bytes; raises `ValueError` for a key that is not of the scheme's kind."""
    key = _load(pem)
    algorithm = HASHES[scheme.hash]
    if isinstance(key, Ed25519PrivateKey) and scheme.kind == "ed25519":
        return key.sign(content)
    if isinstance(key, ec.EllipticCurvePrivateKey) and scheme.kind == "ecdsa":
        return key.sign(content, ec.ECDSA(algorithm))
    if isinstance(key, RSAPrivateKey) and scheme.kind == "rsa-pss":
        return key.sign(content, padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH), algorithm)
    if isinstance(key, RSAPrivateKey) and scheme.kind in ("rsa", "certificate"):
        return key.sign(content, padding.PKCS1v15(), algorithm)
    raise ValueError(f"the private key is not one for {scheme.kind}")


def sign_token(scheme: Scheme, request: SignedRequest, now: float, secret: str) -> bytes:
    """Return a token as the scheme asks for, by a private key or a shared secret; raises `ValueError` for neither."""
    key, algorithm = _token_key(scheme, secret)
    times = {"iat": int(now), "nbf": int(now), "exp": int(now) + TOKEN_SECONDS}
    claims: dict[str, Any] = {**times, **dict(scheme.claims)}
    if scheme.body_claim and request.body:
        claims[scheme.body_claim] = hashlib.sha256(request.body).hexdigest()
    if scheme.url_claim:
        claims[scheme.url_claim] = hashlib.sha256(signed_url(request.address, scheme.url).encode()).hexdigest()
    claims |= {name: value for name, value in (("aud", scheme.audience), ("iss", scheme.issuer)) if value}
    header = {"alg": algorithm, "typ": "JWT"}
    return jws.serialize_compact(header, to_json(claims), key, algorithms=[algorithm]).encode()


def _token_key(scheme: Scheme, secret: str) -> tuple[Any, str]:
    """Return the key, and the algorithm that it signs with."""
    if any(name.startswith("HS") for name in scheme.algorithms):
        return jwk.OctKey.import_key(secret), scheme.algorithms[0]
    key = _load(secret)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if isinstance(key, RSAPrivateKey):
        return jwk.RSAKey.import_key(pem), "RS256"
    if isinstance(key, Ed25519PrivateKey):
        return jwk.OKPKey.import_key(pem), "Ed25519"
    return jwk.ECKey.import_key(pem), _CURVES[key.curve.name]


def _load(pem: str) -> Ed25519PrivateKey | RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = read_private_pem(pem)
    except UNREADABLE:
        raise ValueError("a private key in PEM is needed to sign by this scheme") from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVES:
        raise ValueError(f"the curve {key.curve.name} is not used here; P-256, P-384 and P-521 are")
    if not isinstance(key, Ed25519PrivateKey | RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("the private key is neither RSA nor on an elliptic curve")  # noqa: TRY004
    return key
