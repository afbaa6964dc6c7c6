"""How each kind of scheme compares what a request claims with what would be right."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, cast

from bpm.media import FORM

from .certificates import check_address, check_client, key_of, load_certificates, load_pinned
from .claim import Claim
from .content import composer
from .incoming_messages import MESSAGE, verify_message
from .keys import decode_key
from .public_keys import PublicKey, is_signed_by, load_public_key
from .scheme import SIGNED_BY_KEY, Hash, Scheme
from .signed_content import covers_address, covers_body
from .signed_request import SignatureRefusal, SignedRequest, finder, parse_place
from .tokens import TokenKey, UnknownKey, check_claims, load_keys, load_published_keys, read_claims

FOR_EVER = float("inf")


class KeyLookup(Protocol):
    """Knows the keys, sets of keys and certificates that are published at addresses; waits for nothing."""

    def __call__(self, url: str, is_outdated: bool = False, is_sent: bool = False, /) -> str:
        """Return what stands at an address; raises `SignatureRefusal` when it is not known, or not yet.

        `is_outdated` says that what was returned before lacks a key, so that there may be a newer one, `is_sent` that
        the request names the address and not the rule.
        """
        ...


class Key(NamedTuple):
    """A key's bytes or, for public ones, the key itself; and the time from which it does not count any more."""

    value: bytes
    until: float = FOR_EVER
    opened: Any = None


Prove = Callable[[SignedRequest, Claim, Sequence[Key], float], bool]
"""Tells whether a claim is right by one of the keys; may raise `SignatureRefusal` to say more than no."""


@dataclass(frozen=True, slots=True)
class TrustSources:
    """What the server knows besides a rule: published keys, and where its proxy puts a client's certificate.

    Where there is `lookup_of`, each organisation looks keys up by one of its own.
    """

    lookup: KeyLookup
    certificate_header: str = ""
    lookup_of: Callable[[int], KeyLookup] | None = None

    def of(self, organization_id: int) -> "TrustSources":
        """Return the sources of an organisation's rules."""
        return self if self.lookup_of is None else replace(self, lookup=self.lookup_of(organization_id))


def no_lookup(url: str, _is_outdated: bool = False, _is_sent: bool = False) -> str:
    """Know no key: nothing is fetched here."""
    raise SignatureRefusal("secret", f"the key at {url} is not known here, and not fetched")


def open_key(scheme: Scheme, secret: str, until: float) -> Key | str:
    """Return the key that a secret stands for, or why it can't be one."""
    try:
        if scheme.kind in SIGNED_BY_KEY:
            return Key(b"", until, load_public_key(secret, scheme.kind))
        if scheme.kind == "jwt":
            return Key(b"", until, load_keys(secret))
        if scheme.kind == "certificate":
            load_certificates(secret)
            return Key(b"", until, secret)
        if scheme.kind == "mtls":
            return Key(b"", until, load_pinned(secret))
    except ValueError as error:
        return str(error)
    value = decode_key(secret, scheme.key_decoding) if secret else b""
    if not value:
        return f"it is empty or not {scheme.key_decoding}"
    return Key(f"{scheme.username}:{secret}".encode() if scheme.username else value, until)


def prover(scheme: Scheme, lookup: KeyLookup) -> Prove:
    """A function that judges claims by a scheme."""
    if scheme.kind == "static":
        return _static
    if scheme.kind == "jwt":
        return _token(scheme, lookup)
    if scheme.kind == "mtls":
        return lambda _request, claim, keys, now: _client(scheme, claim, keys, now)
    if scheme.signed_content == MESSAGE:
        return _message(scheme)
    by_content = _certificate(scheme, lookup) if scheme.kind == "certificate" else _signature(scheme)
    by_content = _with_pins(scheme, by_content) if scheme.pinned else by_content
    if scheme.digest_in:
        return _with_digest(scheme, by_content)
    content = scheme.signed_content
    if covers_address(content) and not covers_body(content):
        return _without_body(by_content)
    return _of_forms(by_content) if "{form sorted}" in content and "{digest" not in content else by_content


def _static(_request: SignedRequest, claim: Claim, keys: Sequence[Key], _now: float) -> bool:
    # digests have one length, so comparing them tells nothing about the secret's
    given = [hashlib.sha256(text).digest() for text in claim.signatures]
    expected = [hashlib.sha256(key.value).digest() for key in keys]
    return _is_any(expected, given)


def _signature(scheme: Scheme) -> Prove:
    compose, kind = composer(scheme), scheme.kind
    hash_in = _hash_reader(scheme)

    def by_secret(request: SignedRequest, claim: Claim, keys: Sequence[Key], _now: float) -> bool:
        name = hash_in(request).replace("-", "_")
        content = compose(request, claim, b"")
        # `hmac.digest` would hand the interpreter's lock to another thread at every request
        return _is_any([hmac.new(key.value, content, name).digest() for key in keys], claim.signatures)

    def by_digest(request: SignedRequest, claim: Claim, keys: Sequence[Key], _now: float) -> bool:
        name = hash_in(request).replace("-", "_")
        expected = [hashlib.new(name, compose(request, claim, key.value)).digest() for key in keys]
        return _is_any(expected, claim.signatures)

    def by_public_key(request: SignedRequest, claim: Claim, keys: Sequence[Key], _now: float) -> bool:
        name, content = hash_in(request), compose(request, claim, b"")
        public = [cast("PublicKey", key.opened) for key in keys]
        return any(is_signed_by(key, kind, name, content, given) for key in public for given in claim.signatures)

    return by_public_key if kind in SIGNED_BY_KEY else by_digest if kind == "hash" else by_secret


def _message(scheme: Scheme) -> Prove:
    def prove(request: SignedRequest, _claim: Claim, keys: Sequence[Key], now: float) -> bool:
        def is_right(base: bytes, given: bytes) -> bool:
            if scheme.kind == "hmac":
                return _is_any([hmac.new(key.value, base, scheme.hash).digest() for key in keys], [given])
            public = [cast("PublicKey", key.opened) for key in keys]
            return any(is_signed_by(key, scheme.kind, scheme.hash, base, given) for key in public)

        return verify_message(scheme, request, now, is_right)

    return prove


def _certificate(scheme: Scheme, lookup: KeyLookup) -> Prove:
    compose, hash_in = composer(scheme), _hash_reader(scheme)
    place = parse_place(scheme.certificate_in)
    find = finder(place)

    def prove(request: SignedRequest, claim: Claim, keys: Sequence[Key], now: float) -> bool:
        url = find(request)
        if not url:
            raise SignatureRefusal(place.part, f"{place} is missing or empty")
        content, name = compose(request, claim, b""), hash_in(request)
        pem = lookup(check_address(url, scheme.certificate_hosts), False, True)
        key = key_of(pem, tuple(key.opened for key in keys), scheme.certificate_names, now)
        return any(is_signed_by(key, "rsa", name, content, given) for given in claim.signatures)

    return prove


def _token(scheme: Scheme, lookup: KeyLookup) -> Prove:
    def prove(request: SignedRequest, claim: Claim, keys: Sequence[Key], now: float) -> bool:
        token = claim.signatures[0].decode("latin-1")
        known: list[TokenKey] = [key for each in keys for key in each.opened]
        claims = _claims(token, known) if scheme.keys_url else read_claims(scheme, token, known)
        check_claims(scheme, claims, request, now)
        return True

    def _claims(token: str, known: list[TokenKey]) -> dict[str, Any]:
        url = scheme.keys_url
        try:
            return read_claims(scheme, token, [*known, *_fetched_keys(lookup(url))])
        except UnknownKey:
            return read_claims(scheme, token, [*known, *_fetched_keys(lookup(url, True))])

    return prove


def _fetched_keys(text: str) -> tuple[TokenKey, ...]:
    try:
        return load_published_keys(text)
    except ValueError as error:
        raise SignatureRefusal("secret", str(error)) from None


def _client(scheme: Scheme, claim: Claim, keys: Sequence[Key], now: float) -> bool:
    check_client(claim.signatures[0].decode("latin-1"), [key.opened for key in keys], scheme.certificate_name, now)
    return True


def _with_digest(scheme: Scheme, prove: Prove) -> Prove:
    """Ask for the body's own digest too, where the signed content does not hold the body: for all but forms."""
    place = parse_place(scheme.digest_in)
    find = finder(place)

    def with_digest(request: SignedRequest, claim: Claim, keys: Sequence[Key], now: float) -> bool:
        if not prove(request, claim, keys, now):
            return False
        if request.body and not request.is_form:
            given, right = find(request) or "", hashlib.sha256(request.body).hexdigest()
            if not hmac.compare_digest(given.lower().encode("utf-8", "replace"), right.encode()):
                raise SignatureRefusal("body", f"the body is not the one of the digest that {place} holds")
        return True

    return with_digest


def _of_forms(prove: Prove) -> Prove:
    """Refuse a body that is no form, where nothing else than the fields of a form is signed of a body."""

    def of_forms(request: SignedRequest, claim: Claim, keys: Sequence[Key], now: float) -> bool:
        if request.body and not request.is_form:
            raise SignatureRefusal("body", f"of a body that is not {FORM} nothing is signed; send a form")
        return prove(request, claim, keys, now)

    return of_forms


def _without_body(prove: Prove) -> Prove:
    """Refuse a body where only the address is signed, as of requests by GET."""

    def without_body(request: SignedRequest, claim: Claim, keys: Sequence[Key], now: float) -> bool:
        if request.body:
            raise SignatureRefusal("body", "only the address is signed, and so a request may have no body")
        return prove(request, claim, keys, now)

    return without_body


def _with_pins(scheme: Scheme, prove: Prove) -> Prove:
    """Ask for the rule's own values at their places, where a provider signs for all its customers."""
    values = dict(scheme.values)
    pins = [(parse_place(place), finder(parse_place(place)), values.get(name, "")) for place, name in scheme.pinned]

    def with_pins(request: SignedRequest, claim: Claim, keys: Sequence[Key], now: float) -> bool:
        if not prove(request, claim, keys, now):
            return False
        for place, find, value in pins:
            if find(request) != value:
                raise SignatureRefusal(place.part, f"{place} is another one than the rule's")
        return True

    return with_pins


def _hash_reader(scheme: Scheme) -> Callable[[SignedRequest], Hash]:
    """A function that tells which hash a request names, where a provider has several."""
    if not scheme.hash_in:
        return lambda _: scheme.hash
    place, names = parse_place(scheme.hash_in), dict(scheme.hashes)
    find = finder(place)

    def hash_in(request: SignedRequest) -> Hash:
        name = names.get(find(request) or "")
        if name is None:
            raise SignatureRefusal(place.part, f"{place} is none of {', '.join(names)}")
        return name

    return hash_in


def _is_any(expected: Sequence[bytes], given: Sequence[bytes]) -> bool:
    """Compare every pair, in constant time."""
    return True in [hmac.compare_digest(right, signature) for right in expected for signature in given]
