"""The `signature` of a webhook configuration, as on the wire."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from bpm.bus import Integer, Moment, WireModel
from bpm.security.redaction import REDACTED
from bpm.security.references import is_reference

from . import config_checks, signed_content
from .presets import PRESETS
from .scheme import Algorithm, Encoding, Hash, KeyDecoding, Kind, Scheme, TimestampFormat
from .signed_request import parse_place

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
MAX_SECRETS = config_checks.MAX_SECRETS

STORED = {"stored": True}
"""The context in which a configuration is read that was saved before: what is no longer accepted still counts."""


def _place(text: str) -> str:
    parse_place(text)
    return text


Secret = Annotated[str, Field(min_length=1, max_length=16_384)]
Text = Annotated[str, Field(max_length=100, pattern=r"^[\x20-\x7e]*$")]
Place = Annotated[str, AfterValidator(_place)]
Url = Annotated[str, Field(max_length=2_000, pattern=r"^https?://[!-~]+$")]
Claims = dict[Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, Field(max_length=500)]]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,50}$")]

CUSTOM_ONLY = (
    "type", "hash", "encoding", "prefix", "signed_content", "timestamp_header", "inside", "id_header", "key_decoding",
    "signature_in", "signature_also_in", "timestamp_in", "timestamp_format", "id_in", "between", "keys_url",
    "algorithms", "body_claim", "url_claim",
)  # fmt: skip
"""Fields that describe a scheme, and that a preset therefore already has."""


class CountedSecret(NamedTuple):
    """A secret as configured, and the time in seconds since 1970 from which it does not count any more."""

    secret: str
    until: float | None = None


class NamedSecret(WireModel):
    """One more secret, known by its name, so that `***` can stand for it; `expiresAt` is when it ceases to count."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,50}$")]
    """The name by which `***` stands for it."""
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
    count at once during rotation: texts, or `{name, secret, expiresAt}`. Where a provider signs with a key of its
    own, the secret is its public key, certificate or set of keys.
    """

    scheme: str = Field(examples=[*PRESETS, "custom"])
    """The preset, or `custom`."""
    secret: Secret | None = Field(default=None, repr=False)
    secrets: Annotated[list[Secret | NamedSecret], Field(max_length=MAX_SECRETS, repr=False)] = Field(
        default_factory=list[Secret | NamedSecret]
    )
    """Further secrets that count at once, during a rotation."""
    username: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^:]*$")] | None = None
    """The name that Basic authentication expects."""
    header: str | None = None
    """The header in which the signature stands."""
    tolerance_seconds: Annotated[Integer, Field(ge=1, le=86_400)] | None = None
    """How old a signed time may be."""
    type: Kind = "hmac"
    """What a custom scheme verifies with."""
    hash: Hash = "sha256"
    """The hash of an HMAC."""
    encoding: Encoding = Field(default="hex", description="hex, but for a static secret or a token that is text itself")
    prefix: Text = ""
    """What stands before the signature, as in `sha256=`."""
    signed_content: Annotated[str, Field(max_length=500)] = "{body}"
    """A template of what is signed, as in `{timestamp}.{body}`."""
    timestamp_header: str | None = None
    """The header in which the time stands."""
    inside: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[\x21-\x7e]*$")] | None = None
    """The mark before the time in the signature's own text, as in `t=`."""
    id_header: str | None = None
    """The header in which the id of the request stands."""
    key_decoding: KeyDecoding = "raw"
    """How the secret is read before it is a key."""
    signature_in: Place | None = Field(default=None, description="header:<name>, query:<name> or body:<path>")
    signature_also_in: Annotated[list[Place], Field(max_length=10)] = Field(
        default_factory=list[Place], description="Where else a signature may stand, as of another key; any counts"
    )
    timestamp_in: Place | None = None
    """Where the time stands, as in `body:time`, when not in a header."""
    timestamp_format: TimestampFormat = "seconds"
    """How the time is written."""
    id_in: Place | None = None
    """Where the id stands, as in `body:id`, when not in a header."""
    between: Annotated[str, Field(min_length=1, max_length=3, pattern=r"^[\x20-\x7e]*$")] | None = Field(
        default=None, description="What stands between several signatures, or between the timestamp and them"
    )
    url: Url | None = Field(default=None, description="The address that the provider knows, where it is signed")
    values: dict[Name, Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[\x20-\x7e]*$")]] = Field(
        default_factory=dict[str, str], description="What {value.name} stands for, as an id of the provider's console"
    )
    keys_url: Url | None = Field(default=None, description="Where the provider publishes its keys (JWKS)")
    algorithms: Annotated[list[Algorithm], Field(max_length=10)] = Field(
        default_factory=list[Algorithm], description="Of tokens; those of public keys unless named"
    )
    audience: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """What the token's `aud` must be."""
    issuer: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """What the token's `iss` must be."""
    claims: Annotated[Claims, Field(max_length=10)] = Field(default_factory=dict[str, str])
    """What further claims of the token must be."""
    body_claim: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The claim that holds the SHA-256 of the body as hexadecimal digits"
    )
    url_claim: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="The claim that holds the SHA-256 of the address as hexadecimal digits"
    )
    certificate_name: Annotated[str, Field(min_length=1, max_length=253)] | None = Field(
        default=None, description="A name (SAN) that a client's certificate must have, for the type mtls"
    )

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
        if not signed_content.covers_body(content) and not signed_content.covers_address(content):
            raise ValueError(
                "must hold {body}, or a part or digest of it, else the signature would not cover it; "
                "of requests without a body {url} or {query}"
            )
        return content

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        is_stored = bool(info.context and info.context.get("stored"))
        sentence = next(config_checks.complaints(self), None)
        sentence = sentence or (None if is_stored else next(config_checks.objections(self), None))
        if sentence:
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

    @property
    def plain_secrets(self) -> list[str]:
        """The secrets that stand here in clear."""
        return [secret for secret in self.all_secrets if secret != REDACTED and not is_reference(secret)]

    def warnings(self) -> Iterator[str]:
        """What is accepted, or was accepted once, but looks wrong: one sentence each."""
        return config_checks.warnings(self)

    def to_scheme(self) -> Scheme:
        """The scheme that these fields describe."""
        if self.scheme == "none":
            return Scheme("none", "none")
        preset = PRESETS.get(self.scheme) or self._custom()
        filled = {"prefix": self._filled(preset.prefix)} if "{value." in preset.prefix else {}
        scheme = preset.changed(**self._changes(), **filled)
        return scheme.changed(kind="none") if preset.is_header_agreed and not self.all_secrets else scheme

    def _changes(self) -> dict[str, Any]:
        """What a rule may say about a preset, as far as it does."""
        said: dict[str, Any] = {
            "username": self.username,
            "header": self.header,
            "tolerance_seconds": self.tolerance_seconds,
            "url": self.url,
            "values": tuple(self.values.items()),
            "audience": self.audience,
            "issuer": self.issuer,
            "certificate_name": self.certificate_name,
            "claims": tuple(self.claims.items()),
        }
        return {name: value for name, value in said.items() if value}

    def _filled(self, prefix: str) -> str:
        """A prefix with the rule's own values in it."""
        for name, value in self.values.items():
            prefix = prefix.replace(f"{{value.{name}}}", value)
        return prefix

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
            signature_in=self.signature_in or "",
            signature_also_in=tuple(self.signature_also_in),
            timestamp_in=self.timestamp_in or "",
            timestamp_format=self.timestamp_format,
            id_in=self.id_in or "",
            between=self.between or "",
            keys_url=self.keys_url or "",
            algorithms=tuple(self.algorithms),
            body_claim=self.body_claim or "",
            url_claim=self.url_claim or "",
        )

    def _encoding(self) -> Encoding:
        """A static secret or token is sent as it is, unless another encoding was asked for."""
        is_sent_whole = self.type in ("jwt", "mtls") or (self.type == "static" and self.key_decoding == "raw")
        return "text" if is_sent_whole and "encoding" not in self.model_fields_set else self.encoding


def _counted(secret: str | NamedSecret) -> CountedSecret:
    if isinstance(secret, str):
        return CountedSecret(secret)
    return CountedSecret(secret.secret, secret.expires_at.timestamp() if secret.expires_at else None)
