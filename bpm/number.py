"""Numbers with a fraction or an exponent, exact as their digits say: `19.99` stays 19.99, `100.00` keeps its zeros.

This is the type of such numbers in every JSON value of the product; whole numbers are Python's integers.
"""

import secrets
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

PRECISION = 34
"""Significant digits of what is calculated, as in FEEL (IEEE 754's decimal128). What is only carried keeps all."""

MOST_DIGITS = 1_000
"""A longer number is refused where it is read."""

LARGEST_EXPONENT = 308
SMALLEST_EXPONENT = -400
"""Numbers reach as far as a double does, so that every reader of JSON can take them."""

CONTEXT = Context(
    prec=PRECISION,
    rounding=ROUND_HALF_EVEN,
    Emin=-LARGEST_EXPONENT,
    Emax=LARGEST_EXPONENT,
    traps=[DivisionByZero, InvalidOperation, Overflow],
)
"""How numbers are calculated; what would be too large raises `decimal.Overflow`, what is too small is zero."""

WIDE = Context(prec=10 * MOST_DIGITS, traps=[InvalidOperation])
"""Precise enough to round nothing: for the quotient of any two numbers of JSON, integers of thousands of digits too."""

_PLAIN_EXPONENTS = range(-21, PRECISION + 1)
"""Numbers of these exponents are written without one."""


_UNKNOWN = secrets.token_urlsafe(12)
"""Nobody outside of this process knows it, so no foreign text holds it."""

MARK, END = f"number:{_UNKNOWN}:", f":{_UNKNOWN}"
"""Stand before and behind a number in a text of JSON until it is written as a number."""


class NumberError(ArithmeticError):
    """A number is none that is taken, `reason` says why; the message is a sentence."""

    def __init__(self, reason: str, words: str = "it is beyond the range of a double") -> None:
        super().__init__(f"a number is {reason}: {words}")
        self.reason = reason


class Number(Decimal):
    """A decimal number of JSON. It calculates with floats too, which count as the digits that Python shows of them."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return its digits, with an exponent only when it is very large or very small."""
        text = Decimal.__str__(self)
        if "E" in text and self.adjusted() in _PLAIN_EXPONENTS:
            return format(Decimal(self), "f")
        return text

    def __repr__(self) -> str:
        """Return its digits, as for Python's own numbers."""
        return str(self)

    def __format__(self, specifier: str, /) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Write it as a format says, its digits when it says nothing."""
        return Decimal.__format__(self, specifier) if specifier else str(self)

    def __hash__(self) -> int:
        """Return the hash of every equal integer and decimal."""
        return Decimal.__hash__(self)

    def __reduce__(self) -> tuple[type["Number"], tuple[str]]:
        """Copy it as the number it is."""
        return Number, (str(self),)

    def __neg__(self) -> "Number":
        """Return it with its sign turned, every digit kept."""
        return Number(self.copy_negate())

    def __pos__(self) -> "Number":
        """Return it."""
        return self

    def __abs__(self) -> "Number":
        """Return it without its sign."""
        return Number(self.copy_abs())

    def __round__(self, digits: int | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Round half to even: to an integer, or to so many decimals, its zeros kept."""
        return int(self.to_integral_value()) if digits is None else self.quantize(Decimal(1).scaleb(-digits))

    def __divmod__(self, other: Any) -> Any:
        """Return the quotient rounded down, and the remainder."""
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        """Return the same of another number divided by this one."""
        return other // self, other % self

    def quantize(self, exp: Any, rounding: str | None = None, context: Context | None = None) -> "Number":
        """Round to as many decimals as `exp` has."""
        return Number(Decimal.quantize(self, exp, rounding, context or WIDE))

    def normalize(self, context: Context | None = None) -> "Number":
        """Return it without zeros at its end."""
        return Number(Decimal.normalize(self, context or WIDE))

    def to_integral_value(self, rounding: str | None = None, context: Context | None = None) -> "Number":
        """Round to a number without decimals."""
        return Number(Decimal.to_integral_value(self, rounding, context or WIDE))

    def is_integer(self) -> bool:
        """Tell whether it has no fraction, as `float.is_integer` does."""
        return self == self.to_integral_value()


def number_of(text: str) -> Number:
    """Read a number from its text in JSON; raises `NumberError` with a sentence for one too long, large or small."""
    if len(text) > MOST_DIGITS:
        raise NumberError("too long", f"it has more than {MOST_DIGITS} digits; send it as text")
    try:
        number = Number(text)
    except InvalidOperation:
        raise NumberError("too large or too close to zero") from None
    check_range(number)
    return number


def number_in_json(text: str) -> Number:
    """Read a number with a fraction or an exponent from well-formed JSON; raises `NumberError`."""
    is_in_range = len(text) <= LARGEST_EXPONENT and "e" not in text and "E" not in text
    return Number(text) if is_in_range else number_of(text)


def check_range(number: Decimal) -> None:
    """Raise `NumberError` for a number that is none of JSON, or is beyond the range of a double."""
    if not number.is_finite():
        raise NumberError("none of JSON", "Infinity and NaN cannot be written there")
    exponent = number.adjusted()
    if exponent > LARGEST_EXPONENT:
        raise NumberError("too large")
    if exponent < SMALLEST_EXPONENT:
        raise NumberError("too close to zero")


def is_multiple(value: float | Decimal, divisor: float | Decimal) -> bool:
    """Tell whether a number is a whole multiple of another, in decimals as they are written."""
    if isinstance(value, int) and isinstance(divisor, int):
        return value % divisor == 0
    return WIDE.remainder(exact(value), exact(divisor)).is_zero()


def rounded(value: int | Number, places: int, rounding: str) -> int | Number:
    """Round to so many decimals by a rule of `decimal`; no zeros are added, and without decimals it is an integer."""
    number = Decimal(value)
    if number.as_tuple().exponent >= -places:  # pyright: ignore[reportOperatorIssue]
        return value if places > 0 else whole(value)
    result = number.quantize(Decimal(1).scaleb(-places), rounding, WIDE)
    return Number(result) if places > 0 else int(result)


def whole(value: object) -> Any:
    """Return a number without a fraction as an integer, anything else as it is."""
    return int(value) if isinstance(value, float | Number) and value.is_integer() else value


def is_in_range(number: Decimal) -> bool:
    """Tell whether `check_range` lets a number pass."""
    return number.is_finite() and SMALLEST_EXPONENT <= number.adjusted() <= LARGEST_EXPONENT


def exact(value: float | Decimal) -> Decimal:
    """Return a number as a decimal: a float by the digits that Python shows of it."""
    if isinstance(value, Decimal):
        return value
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _other(value: object) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal)


def _calculation(calculate: Callable[[Any, Any], Decimal]) -> Callable[[Number, Any], Any]:
    def method(self: Number, other: Any) -> Any:
        return Number(calculate(self, exact(other))) if _is_number(other) else NotImplemented

    return method


def _reflected(calculate: Callable[[Any, Any], Decimal]) -> Callable[[Number, Any], Any]:
    return _calculation(lambda self, other: calculate(other, self))


def _comparison(name: str) -> Callable[[Number, Any], Any]:
    compare: Callable[[Decimal, Any], Any] = getattr(Decimal, name)
    return lambda self, other: compare(self, _other(other))


def floored_quotient(value: Decimal, divisor: Decimal) -> Decimal:
    """Return how often the divisor goes into a number, rounded down as Python does with integers."""
    quotient = WIDE.divide_int(value, divisor)
    is_cut = WIDE.remainder(value, divisor) != 0 and (value < 0) != (divisor < 0)
    return CONTEXT.plus(WIDE.subtract(quotient, 1) if is_cut else quotient)


def floored_remainder(value: Decimal, divisor: Decimal) -> Decimal:
    """Return the remainder that has the sign of the divisor, as in FEEL; the divisor is not zero."""
    rest = WIDE.remainder(value, divisor)
    return CONTEXT.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else CONTEXT.plus(rest)


for _name, _calculate in {
    "add": CONTEXT.add,
    "sub": CONTEXT.subtract,
    "mul": CONTEXT.multiply,
    "truediv": CONTEXT.divide,
    "floordiv": floored_quotient,
    "mod": floored_remainder,
    "pow": CONTEXT.power,
}.items():
    setattr(Number, f"__{_name}__", _calculation(_calculate))
    setattr(Number, f"__r{_name}__", _reflected(_calculate))
for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Number, _name, _comparison(_name))
