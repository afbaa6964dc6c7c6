"""Whether a request is the provider's: one verdict, in constant time, over the raw bytes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .claim import Claim, age, reader
from .config import CountedSecret, SignatureConfig
from .proofs import FOR_EVER, Key, TrustSources, no_lookup, open_key, prover
from .scheme import Scheme
from .signed_request import NOWHERE, Headers, RequestAddress, SignatureRefusal, SignedRequest

Resolve = Callable[[str], str]
"""Turns a secret as configured, maybe a reference, into the secret itself; raises ValueError if it can't."""


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """Whether the signature is right, and a sentence why not.

    `is_pending` says that a key is being fetched, so that the request may be right when it comes again; `is_ours` that
    a secret can't be had here, so that nobody can tell whether it is.
    """

    ok: bool
    cause: str = ""
    is_pending: bool = False
    is_ours: bool = False


VALID = SignatureVerdict(True)
NO_SOURCES = TrustSources(no_lookup)
UNTRUSTED_HEADER = "client-cert"
"""Where a certificate is looked for when no proxy is trusted with one: it never counts (RFC 9440)."""


class Verifier:
    """Verifies requests by one scheme and the secrets that count at present.

    `faults` says which secrets cannot be used; with no usable one every request is refused. Verifying waits for
    nothing: `trust` knows the keys and certificates that are published at addresses.
    """

    def __init__(
        self, scheme: Scheme, secrets: Iterable[CountedSecret], resolve: Resolve, trust: TrustSources = NO_SOURCES
    ) -> None:
        """Take the scheme and the secrets as configured, which are resolved now."""
        self.scheme = scheme
        self.keys: list[Key] = []
        self.faults: list[str] = []
        self._has_timestamp = scheme.has_timestamp
        if scheme.kind != "none":
            self.read = reader(scheme)
            self._prove = prover(scheme, trust.lookup)
        for secret, until in secrets:
            self._add(secret, FOR_EVER if until is None else until, resolve)

    def verify(self, raw: bytes, headers: Headers, now: float, address: RequestAddress = NOWHERE) -> SignatureVerdict:
        """Judge a request by its raw body, headers and address; `now` is in seconds since 1970."""
        if self.scheme.kind == "none":
            return VALID
        try:
            self.check(SignedRequest(raw, headers, address), now)
        except SignatureRefusal as refusal:
            return SignatureVerdict(False, refusal.cause, refusal.is_pending, refusal.is_ours)
        return VALID

    def check(self, request: SignedRequest, now: float) -> None:
        """Raise `SignatureRefusal` unless the request's proof is right and fresh."""
        keys = [key for key in self.keys if now < key.until]
        if not keys and (self.scheme.needs_keys or self.faults or self.keys):
            raise self._keyless()
        claim = self.read(request)
        if self._has_timestamp:
            self.check_age(claim, now)
        if not self._prove(request, claim, keys, now):
            raise self._mismatch()

    def check_age(self, claim: Claim, now: float) -> None:
        """Raise `SignatureRefusal` if the request was signed too long ago, or in the future."""
        seconds = age(claim, self.scheme, now)
        tolerance = self.scheme.tolerance_seconds
        if abs(seconds) > tolerance:
            when = f"{seconds:.0f} s old" if seconds > 0 else f"{-seconds:.0f} s in the future"
            raise SignatureRefusal("timestamp", f"the timestamp is {when}, more than the tolerated {tolerance} s")

    def matches(self, request: SignedRequest, claim: Claim, now: float) -> bool:
        """Whether any of the claimed signatures is right for any of the keys, those that have expired included."""
        try:
            return self._prove(request, claim, self.keys, now)
        except SignatureRefusal:
            return False

    def _keyless(self) -> SignatureRefusal:
        if self.faults:
            return SignatureRefusal("secret", self.faults[0], is_ours=True)
        if self.keys:
            return SignatureRefusal("secret", "every secret has expired")
        return SignatureRefusal("secret", "no secret is configured", is_ours=True)

    def _mismatch(self) -> SignatureRefusal:
        """Tell what a wrong signature means: nothing for sure while one of several secrets can't be used."""
        cause = "the signature does not match the body and the secret"
        if self.faults:
            return SignatureRefusal("signature", f"{cause}; {self.faults[0]}", is_ours=True)
        return SignatureRefusal("signature", cause)

    def _add(self, secret: str, until: float, resolve: Resolve) -> None:
        try:
            resolved = resolve(secret)
        except ValueError as error:
            self.faults.append(f"the secret can't be used: {error}")
            return
        key = open_key(self.scheme, resolved, until)
        if isinstance(key, str):
            self.faults.append(f"the secret can't be used: {key}")
        else:
            self.keys.append(key)


def compile_signature(config: SignatureConfig, resolve: Resolve = str, trust: TrustSources = NO_SOURCES) -> Verifier:
    """The verifier of a configuration; never raises: what is wrong with a secret is in its `faults`."""
    scheme = config.to_scheme()
    if scheme.kind != "mtls":
        return Verifier(scheme, config.counted_secrets, resolve, trust)
    if trust.certificate_header:
        return Verifier(scheme.changed(header=trust.certificate_header), config.counted_secrets, resolve, trust)
    verifier = Verifier(scheme.changed(header=UNTRUSTED_HEADER), (), resolve, trust)
    verifier.faults.append(
        "BPM_CLIENT_CERTIFICATE_HEADER must name the header in which the proxy passes certificates on"
    )
    return verifier
