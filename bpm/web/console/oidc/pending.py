"""A sign-in that was begun and is with the provider: what the browser keeps of it, sealed, in a cookie."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from bpm.security.secrets import SecretBox, SecretError

LIFETIME_SECONDS = 600
"""How long somebody may take at the provider."""


class _Sealed(BaseModel):
    """What stands in the cookie."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sign_in: str
    nonce: str
    verifier: str
    begun: float


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """Values that nobody guesses: `state` binds the provider's answer to this browser (RFC 6749, section 10.12).

    `nonce` binds the ID token to this sign-in, `verifier` the code to this server (PKCE, RFC 7636).
    """

    state: str
    nonce: str
    verifier: str
    begun: float

    @classmethod
    def begin(cls, now: datetime) -> Self:
        """Return a new one."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, now.timestamp())

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    @property
    def hash(self) -> str:
        """By what this sign-in is known again."""
        return hashlib.sha256(self.state.encode()).hexdigest()

    def seal(self, box: SecretBox) -> str:
        """Return the cookie's value."""
        sealed = _Sealed(sign_in=self.state, nonce=self.nonce, verifier=self.verifier, begun=self.begun)
        return box.encrypt(sealed.model_dump_json())

    @classmethod
    def opened(cls, value: str | None, state: str, box: SecretBox, now: datetime) -> Self | None:
        """Return what a browser keeps, if it is of the sign-in with this `state` and not too old."""
        try:
            sealed = _Sealed.model_validate_json(box.decrypt(value or ""))
        except (SecretError, ValidationError, UnicodeError):
            return None
        age = now.timestamp() - sealed.begun
        is_same = hmac.compare_digest(sealed.sign_in.encode(), state.encode("utf-8", "replace"))
        if not is_same or not 0 <= age <= LIFETIME_SECONDS:
            return None
        return cls(sealed.sign_in, sealed.nonce, sealed.verifier, sealed.begun)
