"""The keys with which a rule's templates may sign: named, sealed as every secret, used and never shown."""

import hmac
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bpm.bus import WireModel
from bpm.expressions import EvaluationError
from bpm.security.redaction import REDACTED
from bpm.security.references import Resolve

MOST_KEYS = 10


SHORTEST = 8


def _secret(value: str) -> str:
    if len(value) < SHORTEST and value != REDACTED:
        raise ValueError(f"must have at least {SHORTEST} characters")
    return value


class SigningKey(WireModel):
    """A key of `hmac()`; the secret may be a reference, or `***` for the one that is stored under the name."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,50}$")]
    """The name by which `hmac()` knows it."""
    secret: Annotated[str, Field(min_length=1, max_length=4096, repr=False), AfterValidator(_secret)]


class KeysConfig(WireModel):
    """The keys that `hmac()` knows by their names."""

    secrets: Annotated[list[SigningKey], Field(min_length=1, max_length=MOST_KEYS, repr=False)]
    """The keys."""

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [key.name for key in self.secrets]
        if len(set(names)) < len(names):
            raise ValueError("keys must have different names")
        return self


class RuleKeys:
    """Signs with a rule's keys, which are read from where they are at each use."""

    def __init__(self, keys: Sequence[SigningKey], resolve: Resolve) -> None:
        """Take the keys and what reads references."""
        self._secrets = {key.name: key.secret for key in keys}
        self._resolve = resolve

    def sign(self, name: str, content: bytes, algorithm: str) -> bytes:
        """Return the HMAC of the content; raises `EvaluationError` for a key that is not there."""
        if name not in self._secrets:
            raise EvaluationError(f"hmac(): the rule has no key {name[:50]!r}, only {', '.join(self._secrets)}")
        try:
            secret = self._resolve(self._secrets[name])
        except ValueError as error:
            raise EvaluationError(f"hmac(): the key {name!r} can't be read: {error}") from error
        return hmac.digest(secret.encode(), content, algorithm)
