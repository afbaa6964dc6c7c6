"""What providers send, read without losing anything: JSON with exact decimals, names in any spelling."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Context, Decimal, InvalidOperation
from typing import Any, cast

MAX_DEPTH = 64
MAX_AMOUNT = Decimal(10) ** 18
MAX_AMOUNT_CHARACTERS = 40
MAX_PLACES = 6

_EXACT = Context(prec=2 * MAX_AMOUNT_CHARACTERS)
_AMOUNT = re.compile(r"[+-]?(?:\d*|\d{1,3}(?:[, ]\d{3})+)(?:\.\d*)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
"""Digits, or groups of three of them. `12,50` is none, whatever its writer meant: it must not be read as 1250."""
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f]")
_MOMENTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%d-%m-%Y")


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body; numbers with a fraction or an exponent are `Decimal`.

    Raises `ValueError` with a sentence for what is not UTF-8, not JSON, NaN or Infinity, nested over 64
    levels, or holds text that can't be written down again (lone surrogates).
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise ValueError("the body is not UTF-8") from None
    except RecursionError:
        raise ValueError(f"the body is nested over {MAX_DEPTH} levels deep") from None
    except (ValueError, InvalidOperation):
        raise ValueError("the body is not JSON") from None
    _require_sane(value, 1)
    return value


class PayloadFields:
    """A JSON object; names match without regard to case, dashes and underscores, and empty values do not count.

    Anything but an object counts as one without fields.
    """

    def __init__(self, value: object) -> None:
        """Take any JSON value."""
        found = cast("Mapping[str, Any]", value if isinstance(value, dict) else {})
        self._values: dict[str, Any] = {}
        for name, item in found.items():
            if item is not None and item != "":
                self._values.setdefault(_plain(name), item)

    def __bool__(self) -> bool:
        return bool(self._values)

    def get(self, *names: str) -> Any:
        """Return the first value that stands under one of `names`, or None."""
        return next((self._values[name] for name in map(_plain, names) if name in self._values), None)

    def inner(self, *names: str) -> "PayloadFields":
        """Return the object under one of `names`."""
        return PayloadFields(self.get(*names))

    def text(self, *names: str) -> str | None:
        """Return the text or number under one of `names` as trimmed text; None for anything else."""
        return as_text(self.get(*names))

    def amount(self, *names: str, signed: bool = False) -> Decimal | None:
        """Return the amount of money under one of `names`; raises `ValueError` naming the first of them."""
        value = self.get(*names)
        if value is None:
            return None
        try:
            return as_amount(value, signed=signed)
        except ValueError as error:
            raise ValueError(f"{names[0]}: {error}") from None

    def moment(self, zone: tzinfo, *names: str) -> datetime | None:
        """Return the moment under one of `names`; without a zone of its own it is local to `zone`."""
        text = self.text(*names)
        return as_moment(text, zone) if text else None


def as_text(value: object) -> str | None:
    """Return text or a number as text without control characters and outer blanks; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return _INVISIBLE.sub("", str(value)).strip() or None


def as_amount(value: object, *, signed: bool = False) -> Decimal:
    """Read a number, or text such as `20,000.00`; raises `ValueError` for what is no amount of money."""
    text = as_text(value) or ""
    if len(text) > MAX_AMOUNT_CHARACTERS or not _AMOUNT.fullmatch(text):
        raise ValueError("must be an amount, as in 20000.00 or 20,000.00")
    try:
        amount = Decimal(text.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        raise ValueError("must be an amount, as in 20000.00") from None
    if abs(amount) >= MAX_AMOUNT:
        raise ValueError("must be an amount of at most 18 digits before the point")
    if amount < 0 and not signed:
        raise ValueError("must not be negative")
    amount = amount.normalize(_EXACT)
    if cast("int", amount.as_tuple().exponent) < -MAX_PLACES:
        raise ValueError(f"must have at most {MAX_PLACES} digits after the point")
    return Decimal(format(_EXACT.plus(amount), "f"))


def as_moment(text: str, zone: tzinfo) -> datetime | None:
    """Read a date with or without time, ISO 8601 or day first; None for what is neither."""
    moment = _iso(text)
    for form in _MOMENTS:
        if moment is not None:
            break
        moment = _parsed(text, form)
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment if _is_storable(moment) else None


def _is_storable(moment: datetime) -> bool:
    """The calendar's first and last day can't be written in every zone."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 the caller knows the zone
    except ValueError:
        return None


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _require_sane(value: object, depth: int) -> None:
    if isinstance(value, str):
        _require_unicode(value)
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise ValueError(f"the body is nested over {MAX_DEPTH} levels deep")
        if isinstance(value, dict):
            for name in cast("dict[str, Any]", value):
                _require_unicode(name)
        items = cast("dict[str, Any]", value).values() if isinstance(value, dict) else cast("list[Any]", value)
        for item in items:
            _require_sane(item, depth + 1)


def _require_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("the body holds text with lone surrogates, which is not Unicode") from None
