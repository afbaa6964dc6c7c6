"""Which known name was probably meant by one that nobody knows."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

LONGEST_NAME = 64
"""Nothing is close to a longer name; comparing costs the product of both lengths."""

MOST_NAMES = 300
"""How many known names are compared."""


def nearest(name: str, known: Iterable[str], count: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known names that are spelt most alike, the nearest first, however long and many they are."""
    if len(name) > LONGEST_NAME:
        return []
    compared = [other for other in islice(known, MOST_NAMES) if len(other) <= LONGEST_NAME]
    return get_close_matches(name, compared, n=count, cutoff=cutoff)
