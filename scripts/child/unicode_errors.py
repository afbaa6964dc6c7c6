"""The three errors of text that is not valid: scripts catch those of Python, but make and change none.

Python 3.11 believes the positions it finds in such an error: with invented ones, its `str` reads memory beside the
text. So scripts know classes of the same names that hold no positions; caught are both.
"""

from typing import Any, cast

REAL: dict[str, type[UnicodeError]] = {
    kind.__name__: kind for kind in (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError)
}


class _StandIn(type):
    """Makes a class stand for the real one of its name: errors that Python raises count as its own."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, REAL[cls.__name__]) or super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type[object]) -> bool:
        return issubclass(subclass, REAL[cls.__name__]) or super().__subclasscheck__(subclass)


STAND_INS: dict[str, type[Exception]] = {
    name: _StandIn(name, (UnicodeError,), {"__module__": "builtins"})  # type: ignore[misc]
    for name in REAL
}


def caught(kinds: Any) -> Any:
    """Return what an `except` clause of a script catches: with a stand-in, the real error as well."""
    if isinstance(kinds, tuple):
        return tuple(one for kind in cast("tuple[Any, ...]", kinds) for one in _both(kind))
    return _both(kinds) if type(kinds) is _StandIn else kinds


def as_known(kind: type) -> type:
    """Return the class of an error as scripts know it."""
    return STAND_INS[kind.__name__] if kind in REAL.values() else kind


def is_real(value: object) -> bool:
    """Tell whether a value is an error of text that Python itself raised."""
    return isinstance(value, tuple(REAL.values()))


def _both(kind: Any) -> tuple[Any, ...]:
    return (kind, REAL[kind.__name__]) if isinstance(kind, _StandIn) else (kind,)
