"""What names mean while a loop's body or a filter's condition is evaluated."""

from collections.abc import Mapping
from typing import Any, cast


class Frame(dict[str, Any]):
    """The scope inside a loop: its variable, then the element's own names, then the names outside.

    What ends with `()` is the caller's, as its clock is, and no element's.
    """

    __slots__ = ("element", "outer")

    def __init__(self, outer: Mapping[str, Any]) -> None:
        super().__init__()
        self.outer = outer
        self.element: Any = None

    def look_at(self, element: Any) -> None:
        """See an element by its own names, and as a whole as `item` unless it has such a name."""
        self.element = element
        if isinstance(element, Mapping) and "item" in element:
            self.pop("item", None)
        else:
            self["item"] = element

    def __missing__(self, name: str) -> Any:
        element = self.element
        if isinstance(element, Mapping) and name in element and not name.endswith("()"):
            return cast("Mapping[str, Any]", element)[name]
        return self.outer[name]
