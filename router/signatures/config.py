"""The `signature` of a webhook configuration, as on the wire."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from bpm.bus import Integer, WireModel
from bpm.security.redaction import REDACTED
from bpm.security.references import is_reference

from .keys import decode_key
from .scheme import FIVE_MINUTES, PRESETS, Encoding, Hash, KeyDecoding, Scheme

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
PLACEHOLDER = re.compile(r"\{(\w*)\}")
PLACEHOLDERS = ("body", "timestamp", "id")
MAX_SECRETS = 10

Secret = Annotated[str, Field(min_length=1, max_length=4096)]
Text = Annotated[str, Field(max_length=100, pattern=r"^[\x20-\x7e]*$")]

CUSTOM_ONLY = (
    "type", "hash", "encoding", "prefix", "signed_content", "timestamp_header", "inside", "id_header", "key_decoding",
)  # fmt: skip
"""Fields that describe a scheme, and that a preset therefore already has."""


class SignatureConfig(WireModel):
    """How requests prove whose they are: a preset with its secret, or a `custom` scheme field by field.

    A secret may be a reference, `env:NAME` or `file:PATH`, or `***` for the one that is stored; several secrets
    count at once during rotation.
    """

    scheme: str
    secret: Secret | None = Field(default=None, repr=False)
    secrets: Annotated[list[Secret], Field(max_length=MAX_SECRETS, repr=False)] = Field(default_factory=list[str])
    username: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^:]*$")] | None = None
    header: str | None = None
    tolerance_seconds: Annotated[Integer, Field(ge=1, le=86_400)] | None = None
    type: Literal["none", "static", "hmac", "standard"] = "hmac"
    hash: Hash = "sha256"
    encoding: Encoding = "hex"
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
    def _known_placeholders(cls, content: str) -> str:
        for name in PLACEHOLDER.findall(content):
            if name not in PLACEHOLDERS:
                raise ValueError(f"may hold {{body}}, {{timestamp}} and {{id}}, not {{{name}}}")
        if "{body}" not in content:
            raise ValueError("must hold {body}, else the signature would not cover it")
        return content

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if sentence := next(self._complaints(), None):
            raise ValueError(sentence)
        return self

    @property
    def all_secrets(self) -> list[str]:
        """Every secret that counts at present, the newest first."""
        return [*([self.secret] if self.secret else []), *self.secrets]

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
            self.encoding,
            self.prefix,
            self.signed_content,
            self.timestamp_header or "",
            self.inside or "",
            self.id_header or "",
            key_decoding=self.key_decoding,
        )

    def _complaints(self) -> Iterator[str]:
        """What is missing or too much, one sentence each."""
        if self.scheme == "custom":
            yield from self._custom_complaints()
        else:
            yield from self._preset_complaints()
        if len(self.all_secrets) > MAX_SECRETS:
            yield f"at most {MAX_SECRETS} secrets can count at once"
        decoding = self.to_scheme().key_decoding
        for secret in self.all_secrets:
            if secret != REDACTED and not is_reference(secret) and not decode_key(secret, decoding):
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
