"""The end of a run inside the child: what the script left suspended ends now, and acts in no later run."""

import functools
import gc
import weakref
from typing import Any

PASSES = 4
"""How often the collector runs at most: a generator that is closed may suspend another one while it closes."""

MARK = "_run_"
"""A name among the globals of a run that no script can write or delete."""


class Token:
    """Lives exactly as long as the globals of a run, which every function of its script holds."""

    __slots__ = ("__weakref__",)


def mark(scope: dict[str, Any]) -> "weakref.ref[Token]":
    """Put a token among the globals of a run and return a weak reference to it."""
    token = Token()
    scope[MARK] = token
    return weakref.ref(token)


def finish(token: "weakref.ref[Token]") -> bool:
    """Close what the run left suspended, and tell whether nothing of the run is left.

    To be called while the clocks of the run still count, by one who holds no value of the script any more.
    """
    for _ in range(PASSES):
        if token() is None:
            break
        gc.collect()
    for cache in CACHES:
        cache.cache_clear()
    return token() is None


def _caches() -> list[Any]:
    """Return the caches of the standard library that keep arguments of calls."""
    kind = type(functools.lru_cache(_caches))
    return [found for found in gc.get_objects() if type(found) is kind]


CACHES = _caches()
