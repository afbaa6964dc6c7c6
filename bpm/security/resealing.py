"""Seals again by the present key what the former one has sealed, wherever it stands in a stored value."""

import re

from bpm.security.secrets import SecretBox, SecretError


class Resealing:
    """Turns stored values into the same ones under the present key; what the former key opens nowhere stays as it is.

    A value may be sealed whole, hold sealed parts (JSON), or hold them within what it seals.
    """

    def __init__(self, former: SecretBox, present: SecretBox) -> None:
        """Take the boxes of both keys."""
        self._former, self._present = former, present
        self._sealed = re.compile(rf"{re.escape(former.prefix)}[A-Za-z0-9_-]+=*")

    def text(self, stored: str) -> str:
        """Return a text with everything that the former key has sealed in it sealed by the present one."""
        return self._sealed.sub(self._again, stored)

    def data(self, stored: bytes) -> bytes:
        """Return the same for bytes, which are sealed whole or not at all."""
        try:
            return self._present.encrypt_bytes(self._former.decrypt_bytes(stored))
        except SecretError:
            return stored

    def _again(self, match: re.Match[str]) -> str:
        try:
            opened = self._former.decrypt(match[0])
        except SecretError:
            return match[0]  # written by somebody in the form of a sealed value, or damaged
        return self._present.encrypt(self.text(opened))
