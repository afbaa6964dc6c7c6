"""Passwords: argon2id, a few at a time in threads, so that a wave of sign-ins neither blocks nor floods."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import HashingError, InvalidHashError, VerificationError
from argon2.low_level import error_to_str

from bpm.errors import Unavailable

T = TypeVar("T")

MIN_CHARACTERS = 12
MAX_CHARACTERS = 1024
GENERATED_BYTES = 18

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""19 MiB, two passes, one lane: the OWASP Password Storage Cheat Sheet's argon2id figures."""

NO_MEMORY = error_to_str(-22)
"""What argon2 says of `ARGON2_MEMORY_ALLOCATION_ERROR`."""


class Passwords:
    """Hashes and verifies, at most `parallel` at once; the others wait their turn."""

    def __init__(self, parallel: int = 2) -> None:
        """Take how many hashes may run at the same time; each takes 19 MiB."""
        self._turns = asyncio.Semaphore(parallel)
        self.waiting = 0

    async def hash(self, password: str) -> str:
        """Return the hash to store, with its salt and parameters in it."""
        return await self._in_turn(_hash, password)

    async def verify(self, known: str | None, password: str) -> bool:
        """Tell whether `password` belongs to the hash; without a hash it takes as long and the answer is no.

        One that is longer than any is not looked at: to sort its accents takes the square of their number.
        """
        if known is None or len(password) > MAX_CHARACTERS:
            await self._in_turn(_hash, password[:MAX_CHARACTERS])  # the same work as a verification
            return False
        return await self._in_turn(_verify, known, password)

    async def _in_turn(self, work: Callable[..., T], *arguments: str) -> T:
        self.waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self.waiting -= 1


def is_outdated(known: str) -> bool:
    """Tell whether a hash was made with other parameters than today's, so that it should be made anew."""
    return _HASHER.check_needs_rehash(known)


def generate_password() -> str:
    """Return a random password of 24 characters (144 bits)."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def _hash(password: str) -> str:
    try:
        return _HASHER.hash(_bytes(password))
    except HashingError as error:
        raise _unchecked() from MemoryError(str(error))


def _verify(known: str, password: str) -> bool:
    try:
        return _HASHER.verify(known, _bytes(password))
    except (VerificationError, InvalidHashError) as error:
        if str(error) == NO_MEMORY:  # nobody knows whether it is right
            raise _unchecked() from MemoryError(NO_MEMORY)
        return False


def _unchecked() -> Unavailable:
    return Unavailable("There is too little memory to check a password just now; try again in a moment")


def _bytes(password: str) -> bytes:
    """Bring letters that two keyboards write differently to one form (RFC 8265, section 4.2: NFC)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
