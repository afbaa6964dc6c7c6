"""Whether a request is the provider's: one verdict, in constant time, over the raw bytes."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from .claim import Claim, Headers, SignatureRefusal, age, composer, reader
from .config import CountedSecret, SignatureConfig
from .keys import decode_key
from .scheme import Scheme

Resolve = Callable[[str], str]
"""Turns a secret as configured, maybe a reference, into the secret itself; raises ValueError if it can't."""


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """Whether the signature is right, and a sentence why not."""

    ok: bool
    cause: str = ""


VALID = SignatureVerdict(True)
FOR_EVER = float("inf")


class Key(NamedTuple):
    """A secret's bytes, and the time from which it does not count any more."""

    value: bytes
    until: float = FOR_EVER


class Verifier:
    """Verifies requests by one scheme and the secrets that count at present.

    `faults` says which secrets cannot be used; with no usable one every request is refused.
    """

    def __init__(self, scheme: Scheme, secrets: Iterable[CountedSecret], resolve: Resolve) -> None:
        """Take the scheme and the secrets as configured, which are resolved now."""
        self.scheme = scheme
        self.keys: list[Key] = []
        self.faults: list[str] = []
        self.read = reader(scheme)
        self._has_timestamp = scheme.has_timestamp
        self._content = composer(scheme.signed_content)
        for secret, until in secrets:
            self._add(secret, FOR_EVER if until is None else until, resolve)

    def verify(self, raw: bytes, headers: Headers, now: float) -> SignatureVerdict:
        """Judge a request by its raw body and headers; `now` is in seconds since 1970."""
        if self.scheme.kind == "none":
            return VALID
        try:
            self.check(raw, headers, now)
        except SignatureRefusal as refusal:
            return SignatureVerdict(False, refusal.cause)
        return VALID

    def check(self, raw: bytes, headers: Headers, now: float) -> None:
        """Raise Refusal unless the request's proof is right and fresh."""
        if not self.keys:
            raise SignatureRefusal("secret", self.faults[0] if self.faults else "no secret is configured")
        if not any(now < key.until for key in self.keys):
            raise SignatureRefusal("secret", "every secret has expired")
        claim = self.read(headers)
        if self._has_timestamp:
            self.check_age(claim, now)
        if not self.matches(raw, claim, now):
            raise SignatureRefusal("signature", "the signature does not match the body and the secret")

    def check_age(self, claim: Claim, now: float) -> None:
        """Raise SignatureRefusal if the request was signed too long ago, or in the future."""
        seconds = age(claim, self.scheme, now)
        tolerance = self.scheme.tolerance_seconds
        if abs(seconds) > tolerance:
            when = f"{seconds:.0f} s old" if seconds > 0 else f"{-seconds:.0f} s in the future"
            raise SignatureRefusal("timestamp", f"the timestamp is {when}, more than the tolerated {tolerance} s")

    def matches(self, raw: bytes, claim: Claim, now: float = -FOR_EVER) -> bool:
        """Whether any of the claimed signatures is right for any of the keys that count at a time."""
        keys = [key.value for key in self.keys if now < key.until]
        if self.scheme.kind == "static":
            # Digests have one length, so comparing them tells nothing about the secret's.
            given = [hashlib.sha256(text).digest() for text in claim.signatures]
            expected = [hashlib.sha256(key).digest() for key in keys]
        else:
            given = claim.signatures
            content, hash_name = self._content(raw, claim), self.scheme.hash
            expected = [hmac.digest(key, content, hash_name) for key in keys]
        return True in [hmac.compare_digest(right, signature) for right in expected for signature in given]

    def _add(self, secret: str, until: float, resolve: Resolve) -> None:
        try:
            resolved = resolve(secret)
        except ValueError as error:
            self.faults.append(f"the secret can't be used: {error}")
            return
        key = decode_key(resolved, self.scheme.key_decoding) if resolved else b""
        if not key:
            self.faults.append(f"the secret can't be used: it is empty or not {self.scheme.key_decoding}")
        elif self.scheme.username:
            self.keys.append(Key(f"{self.scheme.username}:{resolved}".encode(), until))
        else:
            self.keys.append(Key(key, until))


def compile_signature(config: SignatureConfig, resolve: Resolve = str) -> Verifier:
    """The verifier of a configuration; never raises: what is wrong with a secret is in its `faults`."""
    return Verifier(config.to_scheme(), config.counted_secrets, resolve)
