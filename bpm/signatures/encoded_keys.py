"""Keys as they are written, in PEM and DER: those of the kinds that signatures are made and verified by.

The kind is looked at before a key is loaded. Of one for Diffie-Hellman, and of a private one of RSA, the library asks
whether its numbers are prime: that takes minutes where they have thousands of digits, and everybody waits meanwhile.
"""

import binascii
import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from cryptography.x509.oid import PublicKeyAlgorithmOID

UNREADABLE = (ValueError, TypeError, LookupError, UnsupportedAlgorithm)
"""What is raised for a key that is none, or of a kind that is not used here."""

_RSA, _PSS = PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5, PublicKeyAlgorithmOID.RSASSA_PSS
_EC, _ED25519 = PublicKeyAlgorithmOID.EC_PUBLIC_KEY, PublicKeyAlgorithmOID.ED25519
_KINDS = {
    bytes.fromhex("2a864886f70d010101"): _RSA,
    bytes.fromhex("2a864886f70d01010a"): _PSS,
    bytes.fromhex("2a8648ce3d0201"): _EC,
    bytes.fromhex("2b6570"): _ED25519,
}
"""The kinds by their numbers in DER."""

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----")
_PUBLIC = ("PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE")
_PRIVATE = ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY")
_INTEGER, _BYTES, _NUMBER, _SEQUENCE = 0x02, 0x04, 0x06, 0x30


def read_public_pem(text: str) -> PublicKeyTypes:
    """Return the first public key of a text, or that of its certificate; raises one of `UNREADABLE`."""
    label, der = _block(text, _PUBLIC)
    return key_in(x509.load_der_x509_certificate(der)) if label == "CERTIFICATE" else read_public_der(der)


def read_public_der(der: bytes) -> PublicKeyTypes:
    """Return a public key; raises one of `UNREADABLE`."""
    _kind(der)
    return load_der_public_key(der)


def key_in(certificate: x509.Certificate) -> PublicKeyTypes:
    """Return the key of a certificate; raises one of `UNREADABLE`."""
    if certificate.public_key_algorithm_oid not in _KINDS.values():
        raise ValueError("its key is of a kind that is not used here")
    return certificate.public_key()


def read_private_pem(text: str) -> PrivateKeyTypes:
    """Return the first private key of a text, which has no password; raises one of `UNREADABLE`."""
    _, der = _block(text, _PRIVATE)
    _kind(der)
    return load_der_private_key(der, None)


def is_costly(text: str) -> bool:
    """Tell whether the private key of a text is one of RSA, which takes a tenth of a second and more to load."""
    try:
        return _kind(_block(text, _PRIVATE)[1]) in (_RSA, _PSS)
    except UNREADABLE:
        return False


def _block(text: str, labels: tuple[str, ...]) -> tuple[str, bytes]:
    """Return the first block in PEM that has one of the labels, and which one."""
    for block in _BLOCK.finditer(text):
        if block[1] in labels:
            return block[1], binascii.a2b_base64("".join(block[2].split()), strict_mode=True)
    raise ValueError(f"there is none of {', '.join(labels)} in PEM")


def _kind(der: bytes) -> x509.ObjectIdentifier:
    """Return the kind of a key, public or private, before anything of it is looked at.

    What has a kind written beside it (RFC 5280, RFC 5958) begins with it, behind its version. Of those that have none,
    RSA's begin with numbers (RFC 8017), and those of elliptic curves with bytes (RFC 5915).
    """
    _, at, _ = _part(der, 0)
    tag, content, end = _part(der, at)
    if tag == _INTEGER:
        tag, content, _ = _part(der, end)
    if tag in (_INTEGER, _BYTES):
        return _RSA if tag == _INTEGER else _EC
    number, start, end = _part(der, content)
    kind = _KINDS.get(der[start:end])
    if (tag, number) != (_SEQUENCE, _NUMBER) or kind is None:
        raise ValueError("it is of a kind that is not used here")
    return kind


def _part(der: bytes, at: int) -> tuple[int, int, int]:
    """Return the tag of what stands at a place, and where its content begins and ends."""
    tag, length = der[at], der[at + 1]
    start = at + 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[at + 2 : start])
    return tag, start, start + length
