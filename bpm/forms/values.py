"""What each kind of field may be given."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from bpm.canonical import canonical
from bpm.forms.form import FormField
from bpm.metering import Meter
from bpm.number import WIDE, Number

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?")
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{3,30}")
_ELSEWHERE = timedelta(days=1)
"""So much earlier than in UTC a day may end elsewhere."""
_DIGITS = 400
"""A number as text has at most so many digits."""

Rules = Mapping[str, Any]


def value_problem(field: FormField, value: Any, scope: Mapping[str, Any], meter: Meter, now: datetime) -> str:
    """What is wrong with the value of a field; empty if nothing is."""
    is_locked = field.locked is not None and field.locked(scope) is True
    rules = {word: rule(scope) for word, rule in field.rules.items()}
    if value in (None, "", []) or (field.kind == "checkbox" and value is False):
        return "is required" if rules.get("required") is True and not is_locked else ""
    if field.options is not None:
        return _choice_problem(field, value, field.options(scope), meter)
    return _KINDS[field.kind](field, value, rules, meter, now)


def _text_problem(field: FormField, value: object, rules: Rules, meter: Meter, now: datetime) -> str:
    if not isinstance(value, str):
        return "must be a text"
    least, most = _bound(rules, "minLength"), _bound(rules, "maxLength")
    if least is not None and len(value) < least:
        return f"must have at least {least} characters"
    if most is not None and len(value) > most:
        return f"must have at most {most} characters"
    if field.pattern is not None and not field.pattern.matches(value, meter):
        return f"must match {field.pattern.source:.200}"
    return _SUBTYPES[field.subtype](value) if field.subtype in _SUBTYPES else ""


def _email_problem(value: str) -> str:
    name, _, host = value.rpartition("@")
    is_address = name and "." in host.strip(".") and not any(character.isspace() for character in value)
    return "" if is_address else "must be an address such as ann@example.com"


def _phone_problem(value: str) -> str:
    return "" if _PHONE.fullmatch(value) else "must be a phone number such as +49 30 123456"


def _number_problem(field: FormField, value: object, rules: Rules, meter: Meter, now: datetime) -> str:
    meter.charge(1)
    number = _number_of(value, field)
    if number is None:
        return "must be a number, written as a text" if field.is_text else "must be a number"
    least, most, digits = (_bound(rules, word) for word in ("min", "max", "decimalDigits"))
    if least is not None and number < least:
        return f"must be at least {least}"
    if most is not None and number > most:
        return f"must be at most {most}"
    exponent = number.normalize(WIDE).as_tuple().exponent
    if digits is not None and isinstance(exponent, int) and -exponent > digits:
        return f"must have at most {digits} decimal places" if digits else "must be a whole number"
    return ""


def _number_of(value: object, field: FormField) -> Decimal | None:
    """A value as a number: itself, or a text where the form stores numbers so."""
    if field.is_text != isinstance(value, str) or (not field.is_text and not _is_number(value)):
        return None
    text = str(value)
    try:
        number = Decimal(text) if len(text) <= _DIGITS else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _checkbox_problem(field: FormField, value: object, rules: Rules, meter: Meter, now: datetime) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _datetime_problem(field: FormField, value: object, rules: Rules, meter: Meter, now: datetime) -> str:
    day, mark, clock = value.partition("T") if isinstance(value, str) else ("", "", "")
    if field.subtype == "time":
        day, clock = "", day
    is_whole = bool(mark) == (field.subtype == "datetime")
    is_day = field.subtype == "time" or _reads(date.fromisoformat, _DATE, day)
    is_clock = field.subtype == "date" or _reads(time.fromisoformat, _TIME, clock)
    if not (is_whole and is_day and is_clock):
        return f"must be {_EXAMPLES[field.subtype]}"
    if day and rules.get("disallowPassedDates") and date.fromisoformat(day) < now.date() - _ELSEWHERE:
        return "must not be in the past"
    return ""


def _reads(read: Callable[[str], object], form: re.Pattern[str], text: str) -> bool:
    try:
        return form.fullmatch(text) is not None and read(text) is not None
    except ValueError:
        return False


def _choice_problem(field: FormField, value: object, options: object, meter: Meter) -> str:
    listed = cast("list[Any]", options) if isinstance(options, list) else []
    known = {canonical(option_value(option), meter) for option in listed}
    if field.kind in ("radio", "select"):
        return "" if canonical(value, meter) in known else "is none of the options"
    if not isinstance(value, list):
        return "must be a list of options"
    chosen = [canonical(each, meter) for each in cast("list[Any]", value)]
    return "" if known.issuperset(chosen) else "holds what is none of the options"


def option_value(option: object) -> Any:
    """The value of an option, which may be written as the value alone."""
    if not isinstance(option, dict):
        return option
    members = cast("dict[str, Any]", option)
    return members.get("value", members.get("label"))


def _bound(rules: Rules, word: str) -> Decimal | None:
    """The number that a rule gives; None where it gives none."""
    value = rules.get(word)
    return Decimal(str(value)) if _is_number(value) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Number) and not isinstance(value, bool)


_SUBTYPES: dict[str, Callable[[str], str]] = {"email": _email_problem, "phone": _phone_problem}
_EXAMPLES = {
    "date": "a date such as 2026-05-01",
    "time": "a time such as 09:30",
    "datetime": "a date and time such as 2026-05-01T09:30",
}
_KINDS: dict[str, Callable[[FormField, Any, Rules, Meter, datetime], str]] = {
    "textfield": _text_problem,
    "textarea": _text_problem,
    "number": _number_problem,
    "checkbox": _checkbox_problem,
    "datetime": _datetime_problem,
}
