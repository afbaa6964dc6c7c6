"""A text for each JSON value, the same for equal values: to find equals by hashing instead of by comparing all.

Texts are hashed with a secret of the process, so nobody can choose values whose hashes collide; the hashes of
numbers and of tuples are known to everybody.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from bpm.metering import Meter
from bpm.number import Number, exact

CHARACTERS_PER_STEP = 64
STEPS_PER_CONTAINER = 3


def canonical(value: Any, meter: Meter) -> str:
    """Return the text of a value: 1 and 1.0 are equal, true and 1 are not, the order of keys does not matter."""
    pieces: list[str] = []
    _write(value, pieces, meter)
    return "".join(pieces)


def _write(value: Any, pieces: list[str], meter: Meter) -> None:
    kind: type = value.__class__
    meter.charge(1)
    if kind is str:
        meter.charge(len(value) // CHARACTERS_PER_STEP)
        pieces.append(f'"{len(value)}:{value}')
    elif kind is int:
        pieces.append(hex(value))
    elif kind is float or isinstance(value, Decimal):
        pieces.append(_number(value))
    elif isinstance(value, list | tuple):
        meter.charge(STEPS_PER_CONTAINER)
        pieces.append("[")
        for item in cast("list[Any]", value):
            _write(item, pieces, meter)
        pieces.append("]")
    elif isinstance(value, Mapping):
        _write_object(cast("Mapping[str, Any]", value), pieces, meter)
    else:
        pieces.append(_scalar(value))


def _write_object(value: Mapping[str, Any], pieces: list[str], meter: Meter) -> None:
    meter.charge(STEPS_PER_CONTAINER + len(value))
    pieces.append("{")
    for key in sorted(value):
        _write(key, pieces, meter)
        _write(value[key], pieces, meter)
    pieces.append("}")


def _number(value: float | Decimal) -> str:
    """Return the text of a number: that of an integer if it is one, else its digits without zeros at the end."""
    number = Number(exact(value))
    return hex(int(number)) if number.is_integer() else str(number.normalize())


def _scalar(value: Any) -> str:
    """Return the text of true, false, null, a fraction, or of what has a canonical text of its own."""
    return getattr(value, "canonical", "") or f"<{type(value).__name__} {value!r}>"
