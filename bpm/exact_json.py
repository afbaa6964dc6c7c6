"""JSON in and out, digit for digit: the only place of the product that reads and writes it.

    value = read_json(text)      numbers with a fraction or an exponent are `Number`
    text = write_json(value)     and are written as numbers again; models of pydantic are written by their aliases
    text = write_plain(value)    the same, faster, for what holds no models, dates and other types of Python

A `Decimal` that is no `Number` is written as text, as pydantic writes it: that is how results of messages carry money.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
from pydantic_core import SchemaSerializer, core_schema, from_json, to_json

from bpm.number import END, MARK, Number, NumberError, number_in_json

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter

R = TypeVar("R")

_BEFORE, _BEHIND = f'"{MARK}'.encode(), f'{END}"'.encode()

_marks: ContextVar[dict[str, Number] | None] = ContextVar("marks", default=None)
"""The numbers by the marked texts they were written as; None while nothing is written here: a number is a text then."""

_reader = msgspec.json.Decoder(float_hook=number_in_json)


_decimal_text = Decimal.__str__


def _text(number: Number) -> str:
    """Return what `str` does: in a third of the time where there is no exponent, as nearly always."""
    text = _decimal_text(number)
    return str(number) if "E" in text else text


def _digits(value: object) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(_text(value))
    raise TypeError


_plain_writer = msgspec.json.Encoder(enc_hook=_digits)


def read_json(text: str | bytes, *, allow_inf_nan: bool = True) -> Any:
    """Read one JSON value that the product wrote or has already checked; raises `ValueError`.

    Earlier versions may have written NaN and Infinity, which are read if they are allowed.
    """
    try:
        return _reader.decode(text)
    except (ValueError, RecursionError, NumberError):
        return from_json(text, allow_inf_nan=allow_inf_nan)


def write_json(value: Any, *, serialize_unknown: bool = False) -> bytes:
    """Write any value, models included; raises `PydanticSerializationError`, a `ValueError`, for what is not JSON."""
    return _without_marks(_marking(to_json, value, serialize_unknown=serialize_unknown))


def write_plain(value: object, *, serialize_unknown: bool = False) -> bytes:
    """Write what is made of JSON values and tuples alone: as `write_json` does, many times faster."""
    try:
        return _plain_writer.encode(value)
    except (TypeError, ValueError, RecursionError):
        return write_json(value, serialize_unknown=serialize_unknown)


def write_indented(value: Any) -> str:
    """Write any value for people, each member in a line of its own."""
    return msgspec.json.format(write_json(value), indent=2).decode()


def write_noting_numbers(value: object) -> tuple[bytes, bool]:
    """Write any value, and tell whether a number with a fraction or an exponent stands in it."""
    numbers: dict[str, Number] = {}
    written = _without_marks(_marking(to_json, value, numbers=numbers))
    return written, bool(numbers)


def write_as(kind: "TypeAdapter[Any]", data: object) -> bytes:
    """Write data as its type says, by aliases."""
    return _without_marks(_marking(kind.dump_json, data, by_alias=True))


def write_model(model: "BaseModel", **options: Any) -> bytes:
    """Write a model, by aliases; `options` are those of `model_dump_json`."""
    return _without_marks(_marking(model.__pydantic_serializer__.to_json, model, by_alias=True, **options))


def plain(model: "BaseModel", **options: Any) -> Any:
    """Return a model as plain JSON values, by aliases; `options` are those of `model_dump`."""
    return _plain(model.model_dump, mode="json", by_alias=True, **options)


def plain_as(kind: "TypeAdapter[Any]", data: object) -> Any:
    """Return data as plain JSON values as its type says, by aliases."""
    return _plain(kind.dump_python, data, mode="json", by_alias=True)


def with_doubles(value: object) -> Any:
    """Return JSON values with their numbers as doubles, for libraries that know no others."""
    return from_json(write_json(value))


def _plain(dump: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    numbers: dict[str, Number] = {}
    tree = _marking(dump, *arguments, numbers=numbers, **options)
    return _with_numbers(tree, numbers) if numbers else tree


def _with_numbers(value: object, numbers: Mapping[str, Number]) -> Any:
    """Return plain values with the numbers in the place of their marked texts."""
    if isinstance(value, str):
        return numbers.get(value, value)
    if isinstance(value, list):
        return [_with_numbers(item, numbers) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: _with_numbers(inside, numbers) for name, inside in fields.items()}
    return value


def _marking(write: Callable[..., R], *arguments: Any, numbers: dict[str, Number] | None = None, **options: Any) -> R:
    """Call a function of pydantic that writes, with its numbers marked, and collected in `numbers`."""
    token = _marks.set({} if numbers is None else numbers)
    try:
        return write(*arguments, **options)
    finally:
        _marks.reset(token)


def _without_marks(written: bytes) -> bytes:
    return written.replace(_BEFORE, b"").replace(_BEHIND, b"") if _BEFORE in written else written


def _marked(number: Number) -> str:
    numbers, text = _marks.get(), _text(number)
    if numbers is None:
        return text
    marked = f"{MARK}{text}{END}"
    numbers[marked] = number
    return marked


def _serializer() -> SchemaSerializer:
    """Return how pydantic writes a number: as text, marked while it is written here."""
    marked = core_schema.plain_serializer_function_ser_schema(
        _marked, return_schema=core_schema.str_schema(), when_used="json"
    )
    return SchemaSerializer(core_schema.any_schema(serialization=marked))


Number.__pydantic_serializer__ = _serializer()  # pyright: ignore[reportAttributeAccessIssue]
