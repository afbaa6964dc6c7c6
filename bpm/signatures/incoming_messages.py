"""HTTP Message Signatures (RFC 9421) of what comes in: a `signedContent` of `{message}`.

The request itself says in `Signature-Input` which of its parts are signed, when, and until when. Here they must be the
method, where it goes, and the digest of the body (RFC 9530), and it must say when. The key decides which algorithm
is meant, never the request. Only what RFC 9421 writes in one way is read: names in lower case, one blank between them.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from .scheme import Scheme
from .signed_request import SignatureRefusal, SignedRequest, address_characters

MESSAGE = "{message}"
"""The signed content that is described by the request."""

ALGORITHMS: Mapping[tuple[str, str], str] = {
    ("hmac", "sha256"): "hmac-sha256",
    ("ed25519", "sha256"): "ed25519",
    ("ecdsa", "sha256"): "ecdsa-p256-sha256",
    ("ecdsa", "sha384"): "ecdsa-p384-sha384",
    ("rsa-pss", "sha512"): "rsa-pss-sha512",
    ("rsa", "sha256"): "rsa-v1_5-sha256",
}
"""What RFC 9421 calls a type and a hash of ours; others it has none of."""

INPUT, SIGNATURE, DIGEST = "signature-input", "signature", "content-digest"
MAX_SIGNATURES = 5
MAX_COMPONENTS = 30
PLACES = frozenset({"@authority", "@target-uri", "@path", "@request-target"})
DEFAULT_PORTS = {"https": 443, "http": 80}

_KEY = r"[a-z*][a-z0-9_.*-]{0,63}"
_TEXT = r'"[\x20\x21\x23-\x5b\x5d-\x7e]*"'
_COMPONENT = rf"{_TEXT}(?:;name={_TEXT})?"
_MEMBER = re.compile(
    rf"({_KEY})=(\(({_COMPONENT}(?: {_COMPONENT})*)\)((?:;(?:created|expires)=[0-9]{{1,12}}"
    rf"|;(?:nonce|alg|keyid|tag)={_TEXT})*))"
)
_PARAMETER = re.compile(rf";([a-z]+)=({_TEXT}|[0-9]+)")
_BYTES = re.compile(rf"({_KEY})=:([A-Za-z0-9+/]*={{0,2}}):")
_DIGESTS = {"sha-256": "sha256", "sha-512": "sha512"}

Check = Callable[[bytes, bytes], bool]
"""Tells whether a signature of these bytes is right by one of the keys."""


class SignedParts(NamedTuple):
    """One signature of a request: what it covers, its parameters, how both are written, and itself."""

    components: Sequence[str]
    parameters: Mapping[str, str]
    written: str
    signature: bytes


def verify_message(scheme: Scheme, request: SignedRequest, now: float, is_right: Check) -> bool:
    """Tell whether one of a request's signatures is right; raises `SignatureRefusal` to say more than no.

    Of several, which a sender makes while it changes keys, one that is right is enough.
    """
    refusals: list[SignatureRefusal] = []
    for parts in _signatures_of(request):
        try:
            _check_cover(parts)
            _check_times(parts, now, scheme.tolerance_seconds)
            _check_algorithm(parts, scheme)
            if is_right(_base_of(parts, request, scheme.url), parts.signature):
                _check_digest(request)
                return True
        except SignatureRefusal as refusal:
            refusals.append(refusal)
    if refusals:
        raise refusals[0]
    return False


def _signatures_of(request: SignedRequest) -> Iterator[SignedParts]:
    inputs = _members(request, INPUT, _MEMBER)
    signatures = {found[1]: _decoded(SIGNATURE, found[2]) for found in _members(request, SIGNATURE, _BYTES)}
    labels = [found[1] for found in inputs]
    if len(set(labels)) < len(labels) or not set(labels) & set(signatures):
        raise SignatureRefusal("header", f"the headers {INPUT} and {SIGNATURE} don't fit together")
    for found in inputs:
        label, written, components, parameters = found.groups()
        if label in signatures:
            listed = re.findall(_COMPONENT, components)
            named = {name: value.strip('"') for name, value in _PARAMETER.findall(parameters)}
            yield SignedParts(listed, named, written, signatures[label])


def _members(request: SignedRequest, header: str, form: re.Pattern[str]) -> list[re.Match[str]]:
    """Return the members of a header that is a dictionary (RFC 8941)."""
    text = request.headers.get(header, "")
    if not text:
        raise SignatureRefusal("header", f"the header {header} is missing or empty")
    found: list[re.Match[str]] = []
    at = 0
    while len(found) < MAX_SIGNATURES and (member := form.match(text, at)):
        found.append(member)
        at = member.end()
        if at == len(text):
            return found
        border = re.compile(r"[ \t]*,[ \t]*").match(text, at)
        if border is None:
            break
        at = border.end()
    raise SignatureRefusal("header", f"the header {header} is not as RFC 9421 has it, or has more than is read here")


def _check_cover(parts: SignedParts) -> None:
    names = [component.strip('"') for component in parts.components]
    if len(set(names)) < len(names) or len(names) > MAX_COMPONENTS:
        raise SignatureRefusal("header", f"{INPUT} names a part twice, or more than {MAX_COMPONENTS}")
    lacking = [name for name in ("@method", DIGEST) if name not in names]
    if lacking or PLACES.isdisjoint(names):
        wanted = lacking[0] if lacking else f"one of {', '.join(sorted(PLACES))}"
        raise SignatureRefusal("header", f"{INPUT} doesn't cover {wanted}")


def _check_times(parts: SignedParts, now: float, tolerance: int) -> None:
    if "created" not in parts.parameters:
        raise SignatureRefusal("timestamp", f"{INPUT} doesn't say when it was created")
    seconds = now - int(parts.parameters["created"])
    if abs(seconds) > tolerance:
        raise SignatureRefusal("timestamp", f"the signature was created more than the tolerated {tolerance} s away")
    if int(parts.parameters.get("expires", now + 1)) < now:
        raise SignatureRefusal("timestamp", "the signature has expired")


def _check_algorithm(parts: SignedParts, scheme: Scheme) -> None:
    meant = ALGORITHMS.get((scheme.kind, scheme.hash), "none of RFC 9421")
    if parts.parameters.get("alg", meant) != meant:
        raise SignatureRefusal("header", f"{INPUT} names another algorithm than {meant}, which the rule's key has")


def _check_digest(request: SignedRequest) -> None:
    """Raise `SignatureRefusal` unless every digest of the body that is known here is right, and there is one."""
    given = [(found[1], _decoded(DIGEST, found[2])) for found in _members(request, DIGEST, _BYTES)]
    known = [(_DIGESTS[name], digest) for name, digest in given if name in _DIGESTS]
    if not known or not all(hmac.compare_digest(hashlib.new(name, request.body).digest(), d) for name, d in known):
        raise SignatureRefusal("body", f"the body is not the one of the digest that {DIGEST} holds")


def _base_of(parts: SignedParts, request: SignedRequest, url: str) -> bytes:
    """Return the bytes that are signed (RFC 9421, 2.5)."""
    lines = [f"{component}: {_value(component, request, url)}" for component in parts.components]
    return "\n".join([*lines, f'"@signature-params": {parts.written}']).encode("latin-1", "replace")


def _value(component: str, request: SignedRequest, url: str) -> str:
    name, _, parameter = component.partition(";name=")
    name = name.strip('"')
    if name == "@query-param" and parameter:
        return _parameter(parameter.strip('"'), request)
    if parameter or (name.startswith("@") and name not in _DERIVED):
        raise SignatureRefusal("header", f"{INPUT} covers {name}, which is not known here")
    if name.startswith("@"):
        return _DERIVED[name](request, url or f"{request.address.base}{address_characters(request.address.path)}")
    value = request.headers.get(name)
    if value is None or name in (INPUT, SIGNATURE):
        raise SignatureRefusal("header", f"{INPUT} covers {name}, which is not in the request")
    return value.strip()


def _parameter(name: str, request: SignedRequest) -> str:
    found = request.query.get(name, [])
    if len(found) != 1 or address_characters(found[0]) != found[0]:
        raise SignatureRefusal("query", f"the parameter {name} doesn't stand once, or holds what must be escaped")
    return found[0]


def _authority(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix(f":{DEFAULT_PORTS.get(parts.scheme)}")


def _query(request: SignedRequest) -> str:
    return f"?{request.address.query}"


def _with_query(text: str, request: SignedRequest) -> str:
    return text if "?" in text or not request.address.query else text + _query(request)


_DERIVED: Mapping[str, Callable[[SignedRequest, str], str]] = {
    "@method": lambda request, _url: request.address.method,
    "@authority": lambda _request, url: _authority(url),
    "@scheme": lambda _request, url: urlsplit(url).scheme,
    "@target-uri": lambda request, url: _with_query(url, request),
    "@request-target": lambda request, url: _with_query(urlsplit(url).path or "/", request),
    "@path": lambda _request, url: urlsplit(url).path or "/",
    "@query": lambda request, _url: _query(request),
}


def _decoded(header: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SignatureRefusal("encoding", f"the header {header} does not hold base64 between its colons") from None
