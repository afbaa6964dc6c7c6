"""Names that are not one word: `Monthly Salary`, `Date-Time`, `time offset` (DMN 1.5, 10.3.1.2, rules 27 to 30).

Such a name is read as a whole where it is declared, the longest first; inside of texts it is text.
"""

import re
from collections.abc import Iterable

PROPERTIES = ("time offset", "start included", "end included")
_WORD = re.compile(r"[^\W\d]\w*")


class Names:
    """The declared names of several words, found by their first one."""

    def __init__(self, names: Iterable[str] = PROPERTIES, outer: "Names | None" = None) -> None:
        self._by_word: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
        self._outer = outer
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Declare a name; one of a single word needs no help."""
        first = _WORD.match(name)
        if first is None or first.end() == len(name):
            return
        pattern = r"\s+".join(map(re.escape, name.split()))
        found = self._by_word.setdefault(first[0], [])
        if all(known != name for known, _ in found):
            found.append((name, re.compile(rf"{pattern}(?!\w)")))
            found.sort(key=lambda each: -len(each[0]))

    def at(self, source: str, start: int, word: str) -> tuple[str, int] | None:
        """The longest name that starts there with `word`, and where it ends."""
        for name, pattern in self._by_word.get(word, ()):
            if match := pattern.match(source, start):
                found = self._outer.at(source, start, word) if self._outer else None
                return found if found and found[1] > match.end() else (name, match.end())
        return self._outer.at(source, start, word) if self._outer else None
