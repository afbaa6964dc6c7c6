"""`str.format` for scripts: lookups inside a format string go through the attribute guard."""

import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_LOOKUP = re.compile(r"\.([^.\[]+)|\[([^\]]+)\]")


class GuardedFormatter(string.Formatter):
    """A formatter that reads attributes only through the guard it was given."""

    def __init__(self, getattribute: Callable[[Any, str], Any]) -> None:
        self._getattribute = getattribute

    def bound_to(self, text: str) -> Callable[..., str]:
        """Return the method `format` of a text."""

        def format(*args: Any, **kwargs: Any) -> str:  # noqa: A001  (the name that scripts see)
            return self.format(text, *args, **kwargs)

        return format

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, int | str]:
        """Return the value a field names and the argument it starts from."""
        first = re.split(r"[.\[]", field_name, maxsplit=1)[0]
        key: int | str = int(first) if first.isdecimal() else first
        value: Any = self.get_value(key, args, kwargs)
        for attribute, index in _LOOKUP.findall(field_name[len(first) :]):
            if attribute:
                value = self._getattribute(value, attribute)
            else:
                value = value[int(index) if index.isdecimal() else index]
        return value, key
