"""The `signature` of a webhook configuration, as on the wire."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bpm.bus import Integer, Moment, WireModel
from bpm.security.redaction import REDACTED
from bpm.security.references import is_reference

from . import signed_content
from .keys import decode_key, doubts, weakness
from .scheme import FIVE_MINUTES, PRESETS, Encoding, Hash, KeyDecoding, Scheme

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
MAX_SECRETS = 10

STORED = {"stored": True}
"""The context in which a configuration is read that was saved before: what is no longer accepted still counts."""

Secret = Annotated[str, Field(min_length=1, max_length=4096)]
Text = Annotated[str, Field(max_length=100, pattern=r"^[\x20-\x7e]*$")]

CUSTOM_ONLY = (
    "type", "hash", "encoding", "prefix", "signed_content", "timestamp_header", "inside", "id_header", "key_decoding",
)  # fmt: skip
"""Fields that describe a scheme, and that a preset therefore already has."""


class CountedSecret(NamedTuple):
    """A secret as configured, and the time in seconds since 1970 from which it does not count any more."""

    secret: str
    until: float | None = None


class NamedSecret(WireModel):
    """One more secret, known by its name, so that `***` can stand for it; `expiresAt` is when it ceases to count."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,50}$")]
    secret: Secret = Field(repr=False)
    expires_at: Moment | None = Field(default=None, strict=False)

    @field_validator("expires_at")
    @classmethod
    def _with_zone(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment.tzinfo is None:
            raise ValueError("must have a time zone, as in 2030-01-31T12:00:00Z")
        return moment


class SignatureConfig(WireModel):
    """How requests prove whose they are: a preset with its secret, or a `custom` scheme field by field.

    A secret may be a reference, `env:NAME` or `file:PATH`, or `***` for the one that is stored; several secrets
    count at once during rotation: texts, or `{name, secret, expiresAt}`.
    """

    scheme: str
    secret: Secret | None = Field(default=None, repr=False)
    secrets: Annotated[list[Secret | NamedSecret], Field(max_length=MAX_SECRETS, repr=False)] = Field(
        default_factory=list[Secret | NamedSecret]
    )
    username: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^:]*$")] | None = None
    header: str | None = None
    tolerance_seconds: Annotated[Integer, Field(ge=1, le=86_400)] | None = None
    type: Literal["none", "static", "hmac", "standard"] = "hmac"
    hash: Hash = "sha256"
    encoding: Encoding = Field(default="hex", description="hex, but for a static secret that is text itself")
    prefix: Text = ""
    signed_content: Annotated[str, Field(max_length=300)] = "{body}"
    timestamp_header: str | None = None
    inside: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[\x21-\x7e]*$")] | None = None
    id_header: str | None = None
    key_decoding: KeyDecoding = "raw"

    @field_validator("scheme")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in PRESETS and name not in ("none", "custom"):
            raise ValueError(f"must be one of none, custom, {', '.join(PRESETS)}")
        return name

    @field_validator("header", "timestamp_header", "id_header")
    @classmethod
    def _header_name(cls, name: str | None) -> str | None:
        if name is not None and not HEADER_NAME.fullmatch(name):
            raise ValueError("must be the name of an HTTP header")
        return name

    @field_validator("signed_content")
    @classmethod
    def _covers_the_body(cls, content: str) -> str:
        if "{body}" not in content:
            raise ValueError("must hold {body}, else the signature would not cover it")
        return content

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        is_stored = bool(info.context and info.context.get("stored"))
        if sentence := next(self._complaints(), None) or (None if is_stored else next(self._objections(), None)):
            raise ValueError(sentence)
        return self

    @property
    def all_secrets(self) -> list[str]:
        """Every secret, the newest first."""
        return [counted.secret for counted in self.counted_secrets]

    @property
    def counted_secrets(self) -> list[CountedSecret]:
        """Every secret with the time until which it counts, the newest first."""
        newest = [CountedSecret(self.secret)] if self.secret else []
        return newest + [_counted(secret) for secret in self.secrets]

    def warnings(self) -> Iterator[str]:
        """What is accepted, or was accepted once, but looks wrong: one sentence each."""
        yield from self._objections()
        decoding = self.to_scheme().key_decoding
        for secret in self._plain_secrets():
            if not weakness(secret, decoding):
                yield from doubts(secret, decoding)
        if self.scheme == "custom":
            yield from self._custom_doubts()

    def to_scheme(self) -> Scheme:
        """The scheme that these fields describe."""
        if self.scheme == "none":
            return Scheme("none", "none")
        preset = PRESETS.get(self.scheme) or self._custom()
        changes: dict[str, Any] = {"username": self.username or ""}
        if self.header:
            changes["header"] = self.header
        if self.tolerance_seconds is not None:
            changes["tolerance_seconds"] = self.tolerance_seconds
        if self.scheme == "remita" and not self.all_secrets:
            changes["kind"] = "none"
        if preset.also:
            changes["also"] = replace(preset.also, tolerance_seconds=changes.get("tolerance_seconds", FIVE_MINUTES))
        return replace(preset, **changes)

    def _custom(self) -> Scheme:
        return Scheme(
            "custom",
            self.type,
            self.header or "",
            self.hash,
            self._encoding(),
            self.prefix,
            self.signed_content,
            self.timestamp_header or "",
            self.inside or "",
            self.id_header or "",
            key_decoding=self.key_decoding,
        )

    def _encoding(self) -> Encoding:
        """A static secret is sent as it is, unless another encoding was asked for."""
        is_text = self.type == "static" and self.key_decoding == "raw" and "encoding" not in self.model_fields_set
        return "text" if is_text else self.encoding

    def _plain_secrets(self) -> Iterator[str]:
        """The secrets that stand here in clear."""
        return (secret for secret in self.all_secrets if secret != REDACTED and not is_reference(secret))

    def _objections(self) -> Iterator[str]:
        """Why it may not be saved, though a configuration saved earlier goes on with it: one sentence each."""
        scheme = self.to_scheme()
        if scheme.kind == "none":
            return
        for secret in self._plain_secrets():
            if sentence := weakness(secret, scheme.key_decoding):
                yield sentence
            elif scheme.kind == "static" and scheme.encoding == "text" and not _fits_a_header(scheme.prefix, secret):
                yield "the secret can't be sent in a header: it has blanks around it, or control characters in it"
        if self.scheme == "custom":
            yield from signed_content.complaints(self.signed_content)
            yield from _never_matching(scheme)

    def _custom_doubts(self) -> Iterator[str]:
        if self.type == "static" and self._encoding() == "hex" and self.key_decoding == "raw":
            yield "the header must hold the bytes of the secret as hexadecimal digits; encoding text takes it as it is"
        if self.type == "static" and (self.timestamp_header or self.inside or self.id_header):
            yield "a static secret covers neither timestamp nor id: whoever has it can set both"
        if self.type != "none" and self.tolerance_seconds is not None and not self.to_scheme().has_timestamp:
            yield "toleranceSeconds has no effect without timestampHeader or inside"

    def _complaints(self) -> Iterator[str]:
        """What is missing or too much, one sentence each."""
        if self.scheme == "custom":
            yield from self._custom_complaints()
        else:
            yield from self._preset_complaints()
        if len(self.all_secrets) > MAX_SECRETS:
            yield f"at most {MAX_SECRETS} secrets can count at once"
        names = [secret.name for secret in self.secrets if isinstance(secret, NamedSecret)]
        if len(set(names)) < len(names):
            yield "each of the secrets needs a name of its own"
        decoding = self.to_scheme().key_decoding
        for secret in self._plain_secrets():
            if not decode_key(secret, decoding):
                yield f"the secret can't be decoded: {self.scheme} expects {HOW_TO_WRITE[decoding]}"

    def _preset_complaints(self) -> Iterator[str]:
        wire_names = {name: field.alias or name for name, field in type(self).model_fields.items()}
        for name in CUSTOM_ONLY:
            if name in self.model_fields_set and getattr(self, name) != type(self).model_fields[name].default:
                yield f"{wire_names[name]} can only be set with the scheme custom"
        if self.header and self.scheme != "remita":
            yield "header can only be set with the scheme custom or remita"
        if self.scheme == "remita" and bool(self.header) != bool(self.all_secrets):
            yield "header and secret go together with the scheme remita"
        if self.scheme not in ("none", "remita") and not self.all_secrets:
            yield "secret is required"
        if (self.scheme == "basic") != bool(self.username):
            yield "username is required with the scheme basic, and only there"

    def _custom_complaints(self) -> Iterator[str]:
        if self.username:
            yield "username is required with the scheme basic, and only there"
        if self.type == "none":
            return
        if not self.header:
            yield "header is required with the scheme custom"
        if not self.all_secrets:
            yield "secret is required"
        if self.type != "static" and self.encoding == "text":
            yield "encoding must be hex or base64 for a signature"
        if self.timestamp_header and self.inside:
            yield "timestampHeader and inside exclude each other"
        if ("{timestamp}" in self.signed_content) != bool(self.timestamp_header or self.inside):
            yield "signedContent with {timestamp} and timestampHeader (or inside) go together"
        if ("{id}" in self.signed_content) != bool(self.id_header):
            yield "signedContent with {id} and idHeader go together"


HOW_TO_WRITE: dict[KeyDecoding, str] = {
    "raw": "text",
    "hex": "hexadecimal digits",
    "base64": "base64",
    "whsec": "base64, with or without whsec_ before it",
}


def _counted(secret: str | NamedSecret) -> CountedSecret:
    if isinstance(secret, str):
        return CountedSecret(secret)
    return CountedSecret(secret.secret, secret.expires_at.timestamp() if secret.expires_at else None)


def _fits_a_header(prefix: str, secret: str) -> bool:
    """Whether a server gets this text from a header: blanks around a value are no part of it (RFC 9110, 5.5)."""
    value = prefix + secret
    return value == value.strip() and not any(ord(character) < 0x20 or ord(character) == 0x7F for character in value)


def _never_matching(scheme: Scheme) -> Iterator[str]:
    """Why no request could ever be right by a scheme."""
    names = [name.lower() for name in (scheme.header, scheme.timestamp_header, scheme.id_header) if name]
    if len(set(names)) < len(names):
        yield "header, timestampHeader and idHeader must be different headers"
    if scheme.prefix != scheme.prefix.lstrip():
        yield "prefix can't begin with a blank: blanks before a header's value are no part of it"
    for name, text in (("prefix", scheme.prefix), ("inside", scheme.inside)):
        if scheme.separator and scheme.separator in text:
            yield f"{name} can't hold {scheme.separator!r}, which stands between the parts of the header"
    if scheme.inside and scheme.inside == scheme.prefix:
        yield "inside and prefix must be different"
