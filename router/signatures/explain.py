"""The signature doctor: which part of a proof failed, and what would have been right.

It tries what usually goes wrong: another encoding, hash or reading of the secret, a body that was changed on
the way, a clock, another provider's scheme. It never shows a secret or the signature expected.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from .claim import Headers, SignatureRefusal
from .config import CountedSecret, SignatureConfig
from .scheme import DIGEST_SIZES, PRESETS, Encoding, KeyDecoding, Scheme
from .verifier import Resolve, Verifier, compile_signature

Failed = Literal["", "secret", "header", "encoding", "timestamp", "body", "signature"]

MAX_BODY_TRIED = 1_048_576
ENCODINGS: tuple[Encoding, ...] = ("hex", "base64")
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


def explain(config: SignatureConfig, raw: bytes, headers: Headers, now: float, resolve: Resolve = str) -> Explanation:
    """Examine a captured request: raw body, headers (names in lower case), and the time it came in."""
    doctor = _Doctor(config, raw, headers, resolve)
    verifier = compile_signature(config, resolve)
    if verifier.scheme.kind == "none":
        return Explanation(True, "", "", ["no signature is demanded"])
    schemes = list(doctor.matching_schemes())
    try:
        verifier.check(raw, headers, now)
    except SignatureRefusal as refusal:
        failed, hints = doctor.examine(refusal, verifier)
        others = [name for name in schemes if name != config.scheme]
        if others:
            hints.append(f"the request is right by the scheme {' or '.join(others)}")
        return Explanation(False, failed, refusal.cause, hints, schemes)
    return Explanation(True, "", "", verifier.faults, schemes)


class _Doctor:
    """Examines one request."""

    def __init__(self, config: SignatureConfig, raw: bytes, headers: Headers, resolve: Resolve) -> None:
        self.secrets = config.counted_secrets
        self.scheme = config.to_scheme()
        self.raw = raw
        self.headers = headers
        self.resolve = resolve

    def accepts(self, scheme: Scheme, raw: bytes | None = None, secrets: list[str] | None = None) -> bool:
        """Whether the request, or another body, is right by a scheme, whatever its age."""
        given = [CountedSecret(secret) for secret in secrets] if secrets else None
        verifier = Verifier(scheme, given, str) if given else Verifier(scheme, self.secrets, self.resolve)
        try:
            claim = verifier.read(self.headers)
        except SignatureRefusal:
            return False
        return verifier.matches(self.raw if raw is None else raw, claim)

    def matching_schemes(self) -> Iterator[str]:
        """The presets by which the request is right."""
        for name, scheme in PRESETS.items():
            if scheme.header and self.accepts(replace(scheme, username=self.scheme.username)):
                yield name

    def examine(self, refusal: SignatureRefusal, verifier: Verifier) -> tuple[Failed, list[str]]:
        """The part at fault, which may be another than the refusal's, and hints."""
        if refusal.part == "timestamp":
            return "timestamp", list(self.time_hints(verifier))
        if refusal.part == "secret":
            return "secret", ["set the secret again, or the variable or file it refers to"]
        if refusal.part == "header":
            return "header", list(self.header_hints())
        causes: tuple[tuple[Failed, Iterator[str]], ...] = (
            ("encoding", self.encoding_hints()),
            ("body", self.body_hints()),
            ("secret", self.secret_hints()),
        )
        for part, hints in causes:
            if found := list(hints):
                return part, found
        if refusal.part == "encoding":
            return "encoding", []
        return "signature", ["the secret is another one, or the body is not the one that was signed"]

    def time_hints(self, verifier: Verifier) -> Iterator[str]:
        """What may be wrong with a timestamp."""
        claim = verifier.read(self.headers)
        if len(claim.timestamp) == 13 and claim.timestamp.isdecimal():
            yield "the timestamp looks like milliseconds; seconds are expected"
        if verifier.matches(self.raw, claim):
            yield "the signature itself is right: compare the clocks, or is this an old request sent again?"

    def header_hints(self) -> Iterator[str]:
        """Which signature headers came instead."""
        for name, scheme in PRESETS.items():
            if scheme.header and scheme.header.lower() in self.headers and scheme.header != self.scheme.header:
                yield f"the header {scheme.header} of the scheme {name} is there instead"

    def encoding_hints(self) -> Iterator[str]:
        """Whether another way of writing the signature makes it right."""
        if self.scheme.kind == "static":
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
        if self.scheme.kind == "static" or len(self.raw) > MAX_BODY_TRIED:
            return
        for change, body in _former_bodies(self.raw):
            if self.accepts(self.scheme, body):
                yield f"the body was changed on the way: {change}"
                return

    def secret_hints(self) -> Iterator[str]:
        """Whether the secret is right when read in another way."""
        for index, secret in enumerate(self.resolved()):
            stripped = secret.strip()
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


def _former_bodies(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """What the body may have been before something changed it, and what that may have been."""
    yield "a line break was added at its end", raw.rstrip(b"\r\n")
    yield "the line break at its end was removed", raw + b"\n"
    yield "its line ends were changed from CR LF to LF", raw.replace(b"\n", b"\r\n")
    yield "its line ends were changed from LF to CR LF", raw.replace(b"\r\n", b"\n")
    yield "a byte order mark was added", raw.removeprefix(b"\xef\xbb\xbf")
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
