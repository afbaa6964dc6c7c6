"""Public keys as configured, and signatures that are verified by them; `cryptography` does the mathematics."""

import binascii
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .encoded_keys import UNREADABLE, read_public_der, read_public_pem
from .scheme import Hash, Kind

PublicKey = Ed25519PublicKey | RSAPublicKey | ec.EllipticCurvePublicKey

WHPK = "whpk_"
MIN_RSA_BITS, MAX_RSA_BITS = 2_048, 8_192
"""A smaller key can be broken; a larger one, or one with a huge exponent, costs more to verify than a request may."""
MAX_RSA_EXPONENT = 2**32
ED25519_BYTES = 32
CURVES = ("secp256r1", "secp384r1", "secp521r1")

HASHES: dict[Hash, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 SNS signs with it unless a topic is told otherwise
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3-512": hashes.SHA3_512(),
}

_KINDS: dict[Kind, tuple[type, str]] = {
    "ed25519": (Ed25519PublicKey, "an ed25519 public key: PEM, base64, or 64 hexadecimal digits"),
    "ecdsa": (ec.EllipticCurvePublicKey, "a public key on the curve P-256, P-384 or P-521: PEM, or its DER in base64"),
    "rsa": (RSAPublicKey, "an RSA public key: PEM, or its DER in base64"),
    "rsa-pss": (RSAPublicKey, "an RSA public key: PEM, or its DER in base64"),
}


@lru_cache(maxsize=256)
def load_public_key(text: str, kind: Kind) -> PublicKey:
    """Return the key that a text stands for: PEM, a certificate, DER in base64, or raw bytes; raises `ValueError`."""
    wanted, described = _KINDS[kind]
    try:
        key = _parse(text.strip(), kind)
    except UNREADABLE:
        raise ValueError(f"the secret can't be read: {kind} expects {described}") from None
    if not isinstance(key, wanted):
        raise ValueError(f"the secret is a key of another kind: {kind} expects {described}")  # noqa: TRY004
    return check_strength(key)


def check_strength(key: object) -> PublicKey:
    """Return a key that is neither too weak nor too costly; raises `ValueError` for others."""
    if isinstance(key, RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise ValueError(f"an RSA key must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, this one has {key.key_size}")
        if key.public_numbers().e > MAX_RSA_EXPONENT:
            raise ValueError("the exponent of the RSA key is too large")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in CURVES:
        raise ValueError(f"the curve {key.curve.name} is not used here; P-256, P-384 and P-521 are")
    if not isinstance(key, Ed25519PublicKey | ec.EllipticCurvePublicKey):
        raise ValueError("the key is neither RSA nor on an elliptic curve")  # noqa: TRY004
    return key


def is_signed_by(key: PublicKey, kind: Kind, hash_name: Hash, content: bytes, signature: bytes) -> bool:
    """Tell whether a signature of these bytes was made by the other half of a public key."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, content)
        elif isinstance(key, RSAPublicKey):
            key.verify(signature, content, _padding(kind, hash_name), HASHES[hash_name])
        else:
            key.verify(_as_der(key, signature), content, ec.ECDSA(HASHES[hash_name]))
    except (InvalidSignature, ValueError):
        return False
    return True


def _padding(kind: Kind, hash_name: Hash) -> padding.AsymmetricPadding:
    if kind != "rsa-pss":
        return padding.PKCS1v15()
    algorithm = HASHES[hash_name]
    return padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)  # senders choose how long their salt is


def _as_der(key: ec.EllipticCurvePublicKey, signature: bytes) -> bytes:
    """Return an ECDSA signature in DER; one that is two numbers of the curve's size side by side is turned into it."""
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size or (signature[:1] == b"\x30" and _is_der(signature)):
        return signature
    return encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))


def _is_der(signature: bytes) -> bool:
    return len(signature) > 2 and signature[1] == len(signature) - 2


def _parse(text: str, kind: Kind) -> PublicKeyTypes:
    if text.startswith("-----BEGIN"):
        return read_public_pem(text)
    raw = _bytes_of(text.removeprefix(WHPK))
    return Ed25519PublicKey.from_public_bytes(raw) if _is_raw(raw, kind) else read_public_der(raw)


def _is_raw(raw: bytes, kind: Kind) -> bool:
    return kind == "ed25519" and len(raw) == ED25519_BYTES


def _bytes_of(text: str) -> bytes:
    if len(text) == 2 * ED25519_BYTES:
        try:
            return binascii.a2b_hex(text)
        except ValueError:
            pass
    return binascii.a2b_base64("".join(text.split()), strict_mode=True)
