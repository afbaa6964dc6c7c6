"""How a subscription's deliveries are signed: the `signature` of a subscription, and what it makes of a body."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from bpm.bus.messages import WireModel
from bpm.events.headers import header_problems
from bpm.events.signing import new_secret
from bpm.signatures import PRESETS, SignatureConfig
from bpm.signatures.key_pairs import new_private_key, public_key_of
from bpm.signatures.message_signatures import MessageAlgorithm, SignedMessage, message_headers
from bpm.signatures.scheme import Encoding, Hash, TimestampFormat
from bpm.signatures.signer import SchemeSigner, unfit

STANDARD, MESSAGES, CUSTOM = "standard-webhooks", "http-message-signatures", "custom"
EVENT_ID = "webhook-id"
OWN_BEGINNINGS = ("webhook-", "x-webhook-")
"""Reserved for signatures, so a signature may choose them."""

Text = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x20-\x7e]*$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class SignatureStyle(WireModel):
    """How deliveries are signed: as a provider that is known by name signs, or `custom`, field by field.

    The fields mean what they mean in a rule that verifies. `http-message-signatures` is RFC 9421. The secrets are the
    subscription's.
    """

    scheme: Annotated[str, Field(min_length=1, max_length=50)] = STANDARD
    """The preset, or `custom`."""
    algorithm: MessageAlgorithm | None = Field(
        default=None, description="Of http-message-signatures; ed25519 unless named"
    )
    type: Literal["hmac", "ed25519"] | None = None
    """What a custom scheme signs with."""
    header: Name | None = None
    """The header that carries the signature."""
    hash: Hash | None = None
    """The hash of an HMAC."""
    encoding: Encoding | None = None
    """How the signature is written."""
    prefix: Text | None = None
    """What stands before the signature, as in `sha256=`."""
    signed_content: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """A template of what is signed, as in `{timestamp}.{body}`."""
    timestamp_header: Name | None = None
    """The header that carries the time."""
    timestamp_format: TimestampFormat | None = None
    """How the time is written."""
    inside: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    """The mark before the time in the signature's own text, as in `t=`."""
    id_header: Name | None = None
    """The header that carries the id of the delivery."""
    between: Annotated[str, Field(min_length=1, max_length=3)] | None = None
    """What stands between the parts of the header."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        sentence = self._message_complaint() if self.scheme == MESSAGES else self._scheme_complaint()
        if sentence:
            raise ValueError(sentence)
        return self

    @property
    def has_key_pair(self) -> bool:
        """Whether it signs with a private key, so that receivers are given the public one."""
        if self.scheme == MESSAGES:
            return self.message_algorithm == "ed25519"
        return self.signer.scheme.kind == "ed25519"

    @property
    def signs_with_each(self) -> bool:
        """Whether a delivery carries a signature by each secret that counts, rather than by the newest."""
        return self.scheme == MESSAGES or self.signer.signs_with_each

    @property
    def takes_text(self) -> bool:
        """Whether the key is a secret's whole text, so that it may be any text that a receiver has already."""
        return self.scheme != MESSAGES and not self.has_key_pair and self.signer.scheme.key_decoding in ("raw", "sha1")

    @property
    def message_algorithm(self) -> MessageAlgorithm:
        """The algorithm of message signatures."""
        return self.algorithm or "ed25519"

    @cached_property
    def signer(self) -> SchemeSigner:
        """What signs by a scheme of the engine."""
        return SchemeSigner(self._config().to_scheme())

    def headers(self, secrets: Sequence[str], message: SignedMessage, now: float) -> dict[str, str]:
        """Return the headers of a delivery that prove it; `now` is in seconds since 1970."""
        if self.scheme == MESSAGES:
            return message_headers(self.message_algorithm, secrets, message, int(now))
        return self.signer.headers(secrets, message.body, now, message.webhook_id)

    def to_stored(self) -> dict[str, Any]:
        """Return what was chosen, as it is stored and shown."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def _config(self) -> SignatureConfig:
        """Return the same as a rule has it, with some secret: none of this depends on which."""
        given = self.model_dump(by_alias=True, exclude_none=True, exclude={"algorithm"})
        return SignatureConfig.model_validate({**given, "secret": _sample(self.scheme, self.type)})

    def _message_complaint(self) -> str | None:
        given = self.model_fields_set - {"scheme", "algorithm"}
        return f"{MESSAGES} has no {', '.join(sorted(given))}; leave it out" if given else None

    def _scheme_complaint(self) -> str | None:
        if self.algorithm is not None:
            return f"algorithm can only be set with the scheme {MESSAGES}"
        if self.scheme != CUSTOM and self.scheme not in PRESETS:
            return f"scheme must be {MESSAGES}, {CUSTOM}, or a signature preset as {STANDARD}, github or stripe"
        if self.scheme != CUSTOM and (reason := unfit(PRESETS[self.scheme])):
            return f"deliveries can't be signed as {self.scheme} signs: {reason}"
        try:
            scheme = self._config().to_scheme()
        except ValidationError as error:
            return _sentence(error)
        if reason := unfit(scheme):
            return f"deliveries can't be signed so: {reason}"
        return next(self._header_complaints(), None) if self.scheme == CUSTOM else None

    def _header_complaints(self) -> Iterator[str]:
        for name in (self.header, self.timestamp_header, self.id_header):
            if name and name.lower() == EVENT_ID and name != self.id_header:
                yield f"{EVENT_ID} holds the event's id and can only be the idHeader"
            elif name and not name.lower().startswith(OWN_BEGINNINGS):
                yield from header_problems({name: "-"})


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    return ": ".join([*map(str, first["loc"]), first["msg"].removeprefix("Value error, ")])


@lru_cache(maxsize=1_024)
def style_of(scheme: str) -> SignatureStyle:
    """Return the style of a scheme that needs no further fields."""
    return SignatureStyle(scheme=scheme)


def read_style(stored: Mapping[str, Any] | None) -> SignatureStyle:
    """Return a stored style, Standard Webhooks where none was chosen; raises `ValueError` for one that is gone."""
    return SignatureStyle.model_validate(stored) if stored else style_of(STANDARD)


_SAMPLE_SECRET, _SAMPLE_KEY = new_secret(), public_key_of(new_private_key())


def _sample(scheme: str, type_: str | None) -> str:
    kind = type_ or (PRESETS[scheme].kind if scheme in PRESETS else "hmac")
    return _SAMPLE_KEY if kind == "ed25519" else _SAMPLE_SECRET
