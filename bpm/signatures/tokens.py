"""Signed tokens (JWT, RFC 7519) that prove a request, by keys that are pinned or fetched; `joserfc` reads them."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk, jws
from joserfc.errors import JoseError
from pydantic_core import from_json

from . import encoded_keys
from .encoded_keys import read_public_pem
from .public_keys import PublicKey, check_strength
from .scheme import Scheme
from .signed_request import Part, SignatureRefusal, SignedRequest, signed_url, text_of
from .stamps import FORMS
from .token_registry import ALGORITHMS, registry_of

MAX_KEYS = 50
"""A set with more is refused as a whole."""
MIN_SHARED_BYTES = 32
MAX_KEY_SET_BYTES = 64 * 1024
LEEWAY_SECONDS = 60
MAX_TRIED = 5
"""How many keys without an id a token is tried with."""
UNREADABLE = (JoseError, *encoded_keys.UNREADABLE)
"""What the libraries raise for a key that is none, or of a kind that they do not know."""
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP", "HS": "oct"}
"""The kind of key for each algorithm, by the first letters of its name."""
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth")


class TokenKey(NamedTuple):
    """A key of a set, and the id by which tokens name it."""

    key: Any
    kid: str | None


class UnknownKey(SignatureRefusal):
    """The token names a key that is not in the set."""


@lru_cache(maxsize=64)
def load_keys(text: str) -> tuple[TokenKey, ...]:
    """Return the keys that a text stands for: a JWKS, a JWK, PEM, or a shared secret; raises `ValueError`."""
    if len(text) > MAX_KEY_SET_BYTES:
        raise ValueError(f"a set of keys may have at most {MAX_KEY_SET_BYTES} bytes")
    if not text.lstrip().startswith("{"):
        return (TokenKey(_shared_or_pem(text), None),)
    try:
        value = from_json(text)
        entries = value.get("keys", [value])
        keys = tuple(_public_keys(entries[:MAX_KEYS]))
    except UNREADABLE as error:
        raise ValueError(f"the set of keys can't be read: {type(error).__name__}") from None
    _check_count(entries)
    if not keys:
        raise ValueError("the set has no public key for signatures that is used here")
    return keys


def load_published_keys(text: str) -> tuple[TokenKey, ...]:
    """Return the keys that an address publishes: a JWKS, a JWK, or PEM; raises `ValueError`.

    What everybody can read is no shared secret, so another text is none of them.
    """
    if not text.lstrip().startswith(("{", "-----BEGIN")):
        raise ValueError("what is published there is neither a set of keys (JWKS) nor a key in PEM")
    return load_keys(text)


def check_published_keys(text: str) -> None:
    """Raise `ValueError` unless an address publishes keys; an empty set is one, too, that withdraws all of them."""
    try:
        value = from_json(text) if text.lstrip().startswith("{") else None
    except ValueError:
        raise ValueError("the set of keys can't be read: it is not JSON") from None
    entries: Any = cast("dict[str, Any]", value).get("keys") if isinstance(value, dict) else None
    if isinstance(entries, list):
        _check_count(cast("list[Any]", entries))
    else:
        load_published_keys(text)


def read_claims(scheme: Scheme, token: str, keys: Iterable[TokenKey]) -> dict[str, Any]:
    """Return what a token claims; raises `SignatureRefusal` unless one of the keys has signed it."""
    header = _header(token)
    algorithms = scheme.algorithms or ALGORITHMS
    if header.get("alg") not in algorithms:
        raise SignatureRefusal("encoding", f"the token is signed by another algorithm than {', '.join(algorithms)}")
    kid = header.get("kid")
    named = [key for key in keys if kid is None or key.kid in (None, kid)]
    if not named:
        raise UnknownKey("secret", "no key of the set has the id that the token names")
    kind = _KEY_TYPES[header["alg"][:2]]
    fitting = [key for key in named if key.key.key_type == kind]
    for key in fitting[:MAX_TRIED]:
        try:
            claims = from_json(jws.deserialize_compact(token, key.key, registry=registry_of(algorithms)).payload)
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(claims, dict):
            return cast("dict[str, Any]", claims)
    if len(fitting) > MAX_TRIED:
        raise SignatureRefusal("signature", f"none of the first {MAX_TRIED} keys signed the token, more are not tried")
    raise SignatureRefusal("signature", "the token is not signed by the key that is configured")


def check_claims(scheme: Scheme, claims: dict[str, Any], request: SignedRequest, now: float) -> None:
    """Raise `SignatureRefusal` unless a token is fresh, meant for us, and about this body."""
    _check_times(scheme, claims, now)
    audience: Any = claims.get("aud")
    heard: list[Any] = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
    if scheme.audience and scheme.audience not in heard:
        raise SignatureRefusal("signature", "the token is meant for another audience (aud)")
    wanted = (("iss", scheme.issuer), *scheme.claims) if scheme.issuer else scheme.claims
    for name, value in wanted:
        if text_of(claims.get(name)) != value:
            raise SignatureRefusal("signature", f"the token's claim {name} is another one")
    if scheme.body_claim and (request.body or scheme.body_claim in claims):
        _check_digest(claims, scheme.body_claim, "body", request.body)
    if scheme.url_claim:
        _check_digest(claims, scheme.url_claim, "query", signed_url(request.address, scheme.url).encode())


def _check_digest(claims: dict[str, Any], name: str, part: Part, content: bytes) -> None:
    """Raise `SignatureRefusal` unless a claim is the SHA-256 of the body or of the address."""
    claimed = (text_of(claims.get(name)) or "").encode("utf-8", "replace")
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest().encode(), claimed):
        shown = "address" if part == "query" else part
        raise SignatureRefusal(part, f"the {shown} is not the one of the token's claim {name}")


def _check_times(scheme: Scheme, claims: dict[str, Any], now: float) -> None:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if claims.get(name) is not None}
    for name, value in times.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
            raise SignatureRefusal("timestamp", f"the token's {name} is not {FORMS['seconds']}")
    if "exp" not in times and "iat" not in times:
        raise SignatureRefusal("timestamp", "the token says neither when it was signed (iat) nor when it ends (exp)")
    if times.get("exp", now) < now - LEEWAY_SECONDS:
        raise SignatureRefusal("timestamp", f"the token ended {now - times['exp']:.0f} s ago")
    if max(times.get("nbf", now), times.get("iat", now)) > now + LEEWAY_SECONDS:
        raise SignatureRefusal("timestamp", "the token is of the future")
    if "exp" not in times and now - times["iat"] > scheme.tolerance_seconds:
        age, most = now - times["iat"], scheme.tolerance_seconds
        raise SignatureRefusal("timestamp", f"the token is {age:.0f} s old, more than the tolerated {most} s")


def _header(token: str) -> dict[str, Any]:
    try:
        header = jws.extract_compact(token.encode("ascii"), registry=registry_of(ALGORITHMS)).headers()
    except (JoseError, ValueError, TypeError):
        raise SignatureRefusal(
            "encoding", "there is no signed token (JWT), three parts of base64url with dots"
        ) from None
    return header


def _shared_or_pem(text: str) -> Any:
    try:
        if not text.lstrip().startswith("-----BEGIN"):
            return _shared(text)
        key = check_strength(read_public_pem(text))
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # and nothing that stood around it
        return _kind_of(key).import_key(pem)
    except UNREADABLE as error:
        raise ValueError(f"the key can't be read: {error}") from None


def _shared(text: str) -> Any:
    if len(text.encode()) < MIN_SHARED_BYTES:
        raise ValueError(f"a secret that signs tokens has at least {MIN_SHARED_BYTES} bytes (RFC 7518, 3.2)")
    return jwk.OctKey.import_key(text)


def _kind_of(key: PublicKey) -> Any:
    kinds: dict[type, Any] = {RSAPublicKey: jwk.RSAKey, Ed25519PublicKey: jwk.OKPKey}
    return next((kind for of, kind in kinds.items() if isinstance(key, of)), jwk.ECKey)


def _check_count(entries: list[Any]) -> None:
    """Raise `ValueError` for a set with more keys than are read: a token of one of the others would be refused."""
    if len(entries) > MAX_KEYS:
        raise ValueError(f"a set may have at most {MAX_KEYS} keys, this one has {len(entries)}")


def _public_keys(entries: list[Any]) -> Iterator[TokenKey]:
    """Yield the keys for signatures; others, and those of kinds that are not used here, are passed over."""
    kinds = {"RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey}
    for value in entries:
        entry = cast("dict[str, Any]", value if isinstance(value, dict) else {})
        kind = kinds.get(str(entry.get("kty")))
        if kind is None or entry.get("use", "sig") != "sig":
            continue
        public = {name: value for name, value in entry.items() if name not in _left_out(kind)}
        try:
            key: Any = kind.import_key(public)
            check_strength(key.public_key)
        except UNREADABLE:
            continue
        yield TokenKey(key, entry.get("kid"))


def _left_out(kind: object) -> tuple[str, ...]:
    """Return the private parts of a key; an Ed25519 key may be marked for either name of its algorithm."""
    return (*_PRIVATE, "alg") if kind is jwk.OKPKey else _PRIVATE
