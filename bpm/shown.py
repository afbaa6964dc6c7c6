"""How sentences show a value: as JSON, cut short."""

from typing import Any, cast

from bpm.exact_json import write_json

MAX_SHOWN = 120


def shown(value: object, room: int = MAX_SHOWN) -> str:
    """Return the JSON of a value, its end left out when it is long; never reads more than it shows."""
    text = _text(value, room)
    return text if len(text) <= room else f"{text[:room]}…"


def _text(value: object, room: int) -> str:
    if isinstance(value, str):
        return write_json(value[: room + 1]).decode()
    if isinstance(value, list):
        return _joined("[", "]", (_text(item, room) for item in cast("list[Any]", value)), room)
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value).items()
        return _joined("{", "}", (f"{_text(key, room)}:{_text(item, room)}" for key, item in entries), room)
    if isinstance(value, int) and value.bit_length() > 4 * room:
        return "a number of many digits"
    return write_json(value, serialize_unknown=True).decode()


def _joined(opening: str, closing: str, items: Any, room: int) -> str:
    text = opening
    for item in items:
        text += item if text == opening else f",{item}"
        if len(text) > room:
            return text
    return text + closing
