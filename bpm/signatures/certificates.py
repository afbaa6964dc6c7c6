"""Certificates that prove a request: the provider's, fetched from where the request says, and a client's own.

One that is fetched counts when it comes from an allowed host. With certificates of authorities as the rule's
secrets, it must also descend from one of them.
"""

import binascii
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from .encoded_keys import key_in
from .public_keys import PublicKey, check_strength
from .signed_request import SignatureRefusal

MAX_BYTES = 32 * 1024
MAX_CERTIFICATES = 5
MAX_DEPTH = 4
FINGERPRINT_CHARACTERS = 64
MAX_SHOWN = 200
"""How many characters of what a library says of a certificate are told."""
HOUR = 3_600
UNREADABLE = (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What `cryptography` raises for a certificate that is not as others are, or that has a key or name of a rare kind."""
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}")
"""A region of Amazon's. Other labels are services: `sns.s3.amazonaws.com` is a bucket of whoever has called it so."""


@lru_cache(maxsize=64)
def load_certificates(pem: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a text, the nearest first; raises `ValueError`."""
    if len(pem) > MAX_BYTES:
        raise ValueError(f"certificates may have at most {MAX_BYTES} bytes")
    if pem.count("-----BEGIN CERTIFICATE-----") > MAX_CERTIFICATES:
        raise ValueError(f"there may be at most {MAX_CERTIFICATES} certificates")
    try:
        return tuple(x509.load_pem_x509_certificates(pem.encode("ascii")))
    except ValueError:
        raise ValueError("there is no certificate in PEM that can be read") from None


def load_pinned(text: str) -> str:
    """Return a secret that stands for a client: certificates of authorities, or a fingerprint; raises `ValueError`."""
    plain = text.replace(":", "").strip().lower()
    if len(plain) == FINGERPRINT_CHARACTERS and set(plain) <= set("0123456789abcdef"):
        return plain
    load_certificates(text)
    return text


def check_address(url: str, hosts: Iterable[str]) -> str:
    """Return the address of a certificate; raises `SignatureRefusal` for a host that is not among those allowed.

    It has no query: at some of those hosts a GET with one does something, as confirming a subscription at SNS.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_plain = (
            parts.scheme == "https"
            and parts.netloc.lower() in (host, f"{host}:443")
            and not (parts.query or parts.fragment)
        )
    except ValueError:
        is_plain, host = False, ""
    if not is_plain or not any(is_host(host, allowed) for allowed in hosts):
        raise SignatureRefusal(
            "header", "the certificate's address is not https without a query, or at none of the allowed hosts"
        )
    return url


def key_of(pem: str, authorities: tuple[str, ...], names: tuple[str, ...], now: float) -> PublicKey:
    """Return the key of a provider's certificate; raises `SignatureRefusal` unless it counts at this time.

    One that must descend from an authority must also have one of the names.
    """
    try:
        leaf = load_certificates(pem)[0]
        if authorities:
            _check_descent(pem, authorities, _own_name(leaf, names), int(now // HOUR) * HOUR)
        _check_dates(leaf, now)
        return check_strength(key_in(leaf))
    except UNREADABLE as error:
        raise SignatureRefusal("secret", f"the provider's certificate can't be used: {_shown(error)}") from None


def check_client(text: str, pinned: Iterable[str], name: str, now: float) -> None:
    """Raise `SignatureRefusal` unless a client's certificate is a pinned one, or descends from a pinned authority."""
    pins = list(pinned)
    try:
        pem = _pem_of(text)
        leaf = load_certificates(pem)[0]
        _check_dates(leaf, now)
        if leaf.fingerprint(SHA256()).hex() not in pins:
            authorities = tuple(pin for pin in pins if len(pin) != FINGERPRINT_CHARACTERS)
            _check_client_descent(pem, authorities, int(now // HOUR) * HOUR)
            _check_name(leaf, name)
    except UNREADABLE as error:
        raise SignatureRefusal("signature", f"the client's certificate does not count: {_shown(error)}") from None


def _own_name(leaf: x509.Certificate, names: tuple[str, ...]) -> str:
    """The one of the names that a certificate has; the usual one, which it then lacks, if it has none of them."""
    own = _names_of(leaf)
    return next((name for name in names if name in own), names[0])


def _shown(error: Exception) -> str:
    return str(error)[:MAX_SHOWN]


def is_host(host: str, allowed: str) -> bool:
    """Compare label by label; `{region}` stands for the name of a region, as in `eu-west-1`."""
    labels, wanted = host.split("."), allowed.split(".")
    return len(labels) == len(wanted) and all(
        REGION.fullmatch(label) if w == "{region}" else w == label for label, w in zip(labels, wanted, strict=True)
    )


def _check_dates(leaf: x509.Certificate, now: float) -> None:
    at = datetime.fromtimestamp(now, UTC)
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        raise ValueError("it is not valid at this time")


@lru_cache(maxsize=256)
def _check_descent(pem: str, authorities: tuple[str, ...], name: str, at: int) -> None:
    leaf, *between = load_certificates(pem)
    verifier = _policy(authorities, at).build_server_verifier(x509.DNSName(name))
    _verified(lambda: verifier.verify(leaf, between))


@lru_cache(maxsize=256)
def _check_client_descent(pem: str, authorities: tuple[str, ...], at: int) -> None:
    if not authorities:
        raise ValueError("it is none of those that are pinned")
    leaf, *between = load_certificates(pem)
    verifier = _policy(authorities, at).build_client_verifier()
    _verified(lambda: verifier.verify(leaf, between))


def _check_name(leaf: x509.Certificate, name: str) -> None:
    if name and name not in _names_of(leaf):
        raise ValueError(f"it is not the certificate of {name}")


def _policy(authorities: tuple[str, ...], at: int) -> PolicyBuilder:
    roots = [root for pem in authorities for root in load_certificates(pem)]
    return PolicyBuilder().store(Store(roots)).time(datetime.fromtimestamp(at, UTC)).max_chain_depth(MAX_DEPTH)


def _verified(verify: Callable[[], object]) -> None:
    try:
        verify()
    except VerificationError as error:
        raise ValueError(f"it does not descend from a pinned authority ({_shown(error)})") from None


def _names_of(leaf: x509.Certificate) -> set[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {
        str(name.value)
        for name in names
        if isinstance(name, x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier)
    }


def _pem_of(text: str) -> str:
    """Return a certificate in PEM as a proxy passes it on: escaped as nginx does, or base64 as in RFC 9440."""
    if len(text) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    if "-----BEGIN" in text:
        return unquote(text)
    try:
        der = binascii.a2b_base64(text.strip(": "), strict_mode=True)
    except ValueError:
        raise ValueError("it is neither PEM, escaped, nor base64 between colons") from None
    from cryptography.hazmat.primitives.serialization import Encoding

    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()
