"""The signature doctor: which part of a proof failed, and what would have been right.

It tries what usually goes wrong: another encoding, hash or reading of the secret, a body that was changed on
the way, a clock, another provider's scheme. It never shows a secret or the signature expected.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from .config import CountedSecret, SignatureConfig
from .misplaced import TWICE, absence_hints, is_doubled, shifted_time
from .presets import PRESETS
from .proofs import TrustSources
from .scheme import DIGEST_SIZES, DIGESTED, SHARED, SHOWN, Encoding, KeyDecoding, Scheme
from .signed_content import is_address, parts_of
from .signed_request import NOWHERE, Headers, RequestAddress, SignatureRefusal, SignedRequest
from .verifier import NO_SOURCES, Resolve, Verifier, compile_signature

Failed = Literal["", "secret", "header", "query", "encoding", "timestamp", "body", "signature"]

MAX_BODY_TRIED = 1_048_576
ENCODINGS: tuple[Encoding, ...] = ("hex", "base64", "base64url", "base64-unpadded")
SEPARATORS = (",", ";", " ", "&", "|", ":")
KEY_DECODINGS: tuple[KeyDecoding, ...] = ("raw", "whsec", "base64", "hex")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request was refused. `failed` is the part at fault, empty if the signature is right.

    `hints` are sentences on what to change; `matching_schemes` are the presets that accept the request with
    the configured secret, whatever its age.
    """

    ok: bool
    failed: Failed
    cause: str
    hints: list[str] = field(default_factory=list[str])
    matching_schemes: list[str] = field(default_factory=list[str])


def explain(
    config: SignatureConfig,
    raw: bytes,
    headers: Headers,
    now: float,
    resolve: Resolve = str,
    address: RequestAddress = NOWHERE,
    trust: TrustSources = NO_SOURCES,
) -> Explanation:
    """Examine a captured request: raw body, headers (names in lower case), the time it came in, and its address."""
    request = SignedRequest(raw, headers, address)
    verifier = compile_signature(config, resolve, trust)
    doctor = _Doctor(config, verifier.scheme, request, now, resolve)
    if verifier.scheme.kind == "none":
        return Explanation(True, "", "", ["no signature is demanded"])
    schemes = list(doctor.matching_schemes())
    try:
        verifier.check(request, now)
    except SignatureRefusal as refusal:
        failed, hints = doctor.examine(refusal, verifier)
        others = [name for name in schemes if name != config.scheme]
        if others:
            hints.append(f"the request is right by the scheme {' or '.join(others)}")
        return Explanation(False, failed, refusal.cause, hints, schemes)
    return Explanation(True, "", "", verifier.faults, schemes)


class _Doctor:
    """Examines one request."""

    def __init__(
        self, config: SignatureConfig, scheme: Scheme, request: SignedRequest, now: float, resolve: Resolve
    ) -> None:
        self.secrets = config.counted_secrets
        self.scheme = scheme
        self.name = config.scheme
        self.request = request
        self.raw = request.body
        self.headers = request.headers
        self.now = now
        self.resolve = resolve

    def accepts(
        self,
        scheme: Scheme,
        raw: bytes | None = None,
        secrets: list[str] | None = None,
        request: SignedRequest | None = None,
    ) -> bool:
        """Whether the request, or another one, or another body, is right by a scheme, whatever its age."""
        given = [CountedSecret(secret) for secret in secrets] if secrets else None
        verifier = Verifier(scheme, given, str) if given else Verifier(scheme, self.secrets, self.resolve)
        request = request or (self.request if raw is None else SignedRequest(raw, self.headers, self.request.address))
        try:
            return verifier.matches(request, verifier.read(request), self.now)
        except SignatureRefusal:
            return False

    def matching_schemes(self) -> Iterator[str]:
        """The presets by which the request is right; of those with keys of their own only the configured one."""
        for name, scheme in PRESETS.items():
            tried = self.scheme if name == self.name else _as_configured(scheme, self.scheme)
            is_tried = name == self.name or (scheme.kind in SHARED and self._is_there(scheme))
            if is_tried and scheme.signature_place and self.accepts(tried):
                yield name

    def _is_there(self, scheme: Scheme) -> bool:
        """Whether the request has something where a scheme's signature would stand."""
        return not scheme.proving_headers.isdisjoint(self.headers)

    def examine(self, refusal: SignatureRefusal, verifier: Verifier) -> tuple[Failed, list[str]]:
        """The part at fault, which may be another than the refusal's, and hints."""
        absence = list(absence_hints(refusal))
        if refusal.part == "timestamp":
            return "timestamp", absence or list(self.time_hints(verifier))
        if refusal.part == "secret":
            return "secret", ["set the secret again, or the variable or file it refers to"]
        if refusal.part == "header" or (refusal.part == "query" and "address" not in refusal.cause):
            return refusal.part, [*absence, *self.header_hints()]
        if refusal.part in ("body", "query"):
            return refusal.part, absence or ["what the request says does not fit what its proof says of it"]
        causes: tuple[tuple[Failed, Iterator[str]], ...] = (
            ("header", self.doubled_hints()),
            ("encoding", self.encoding_hints()),
            ("timestamp", self.stamp_hints(verifier)),
            ("body", self.body_hints()),
            ("secret", self.secret_hints()),
        )
        for part, hints in causes:
            if found := list(hints):
                return part, found
        if refusal.part == "encoding":
            return "encoding", ["it is written in another way than this scheme has it, or is of another scheme"]
        return "signature", list(self.last_hints())

    def last_hints(self) -> Iterator[str]:
        """What else it can be."""
        yield "the secret is another one, or the body is not the one that was signed"
        if any(is_address(part) for part in parts_of(self.scheme.signed_content)):
            address = self.scheme.url or f"{self.request.address.base}{self.request.address.path}"
            yield f"the address {address} is signed: set `url` to the one that the provider knows, if that is another"

    def doubled_hints(self) -> Iterator[str]:
        """Whether a secret that may hold a comma stands in two headers."""

        def is_right(headers: Headers) -> bool:
            request = SignedRequest(self.raw, headers, self.request.address)
            return self.accepts(self.scheme, request=request)

        if self.scheme.kind == "static" and is_doubled(self.scheme, self.headers, is_right):
            yield f"the header {self.scheme.header} stands {TWICE}: the sender or a proxy adds it a second time"

    def stamp_hints(self, verifier: Verifier) -> Iterator[str]:
        """Whether the signature is right for another time."""
        try:
            claim = verifier.read(self.request)
        except SignatureRefusal:
            return
        moved = shifted_time(
            self.scheme, claim, self.raw, lambda other: verifier.matches(self.request, other, self.now)
        )
        if moved is not None:
            yield f"the timestamp was changed on the way: it is {moved} than the one that was signed"

    def time_hints(self, verifier: Verifier) -> Iterator[str]:
        """What may be wrong with a timestamp."""
        try:
            claim = verifier.read(self.request)
        except SignatureRefusal:
            return
        if self.scheme.timestamp_format == "seconds" and len(claim.timestamp) == 13 and claim.timestamp.isdecimal():
            yield "the timestamp looks like milliseconds; seconds are expected"
        if claim.timestamp and verifier.matches(self.request, claim, self.now):
            yield "the signature itself is right: compare the clocks, or is this an old request sent again?"
        else:
            yield "the time is not as this scheme has it, or not the one that was signed"

    def header_hints(self) -> Iterator[str]:
        """Which signature headers came instead, and the schemes that they are of."""
        there: dict[str, list[str]] = {}
        for name, scheme in PRESETS.items():
            if scheme.header.lower() in self.headers and scheme.header.lower() != self.scheme.header.lower():
                there.setdefault(scheme.header, []).append(name)
        for header, names in there.items():
            yield f"the header {header} of the scheme {' or '.join(names)} is there instead"

    def encoding_hints(self) -> Iterator[str]:
        """Whether another way of writing the signature makes it right."""
        if self.scheme.kind not in DIGESTED:
            return
        for between in SEPARATORS if self.scheme.separator else ():
            if between != self.scheme.separator and self.accepts(replace(self.scheme, between=between)):
                yield f"the signature is right with {between!r} between the parts of its text: set `between`"
                return
        prefixes = {self.scheme.prefix, "", "sha256=", "sha512=", "v1="}
        for prefix, encoding, hash_name in product(sorted(prefixes), ENCODINGS, DIGEST_SIZES):
            tried = replace(self.scheme, prefix=prefix, encoding=encoding, hash=hash_name)
            if self.accepts(tried):
                written = f"{hash_name} in {encoding}" + (f" after {prefix!r}" if prefix else " without a prefix")
                yield f"the signature is right as {written}"
                return

    def body_hints(self) -> Iterator[str]:
        """Whether the body was right before something rewrote it."""
        if self.scheme.kind in SHOWN or len(self.raw) > MAX_BODY_TRIED:
            return
        for change, body in _former_bodies(self.raw):
            if self.accepts(self.scheme, body):
                yield f"the body was changed on the way: {change}"
                return

    def secret_hints(self) -> Iterator[str]:
        """Whether the secret is right when read in another way."""
        for index, secret in enumerate(self.resolved()):
            stripped = secret.strip()
            if self.scheme.kind not in SHARED:
                return
            if stripped != secret and stripped and self.accepts(self.scheme, secrets=[stripped]):
                yield f"secret {index + 1} has blanks or a line break around it"
            for decoding in KEY_DECODINGS:
                tried = replace(self.scheme, key_decoding=decoding)
                if decoding != self.scheme.key_decoding and self.accepts(tried, secrets=[stripped]):
                    yield f"secret {index + 1} is right when its key is read as {decoding}"

    def resolved(self) -> Iterator[str]:
        """The secrets themselves, as far as they can be had."""
        for secret, _ in self.secrets:
            try:
                yield self.resolve(secret)
            except ValueError:
                continue


def _as_configured(preset: Scheme, scheme: Scheme) -> Scheme:
    """A preset with what a rule says besides: its user, address and values."""
    return preset.changed(username=scheme.username, url=scheme.url, values=scheme.values)


def _former_bodies(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """What the body may have been before something changed it, and what that may have been."""
    yield "a line break was added at its end", raw.rstrip(b"\r\n")
    yield "the line break at its end was removed", raw + b"\n"
    yield "its line ends were changed from CR LF to LF", raw.replace(b"\n", b"\r\n")
    yield "its line ends were changed from LF to CR LF", raw.replace(b"\r\n", b"\n")
    yield "a byte order mark was added", raw.removeprefix(BOM_UTF8)
    yield "it was emptied or replaced", b""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return
    for ascii_only, separators in product((False, True), ((",", ":"), (", ", ": "))):
        text = json.dumps(value, ensure_ascii=ascii_only, separators=separators)
        yield "its JSON was written anew", text.encode(errors="surrogatepass")
        yield "its JSON was written anew", text.replace("/", "\\/").encode(errors="surrogatepass")
    yield "its JSON was written anew", json.dumps(value, indent=2).encode()
