"""Words that nobody has to see, in every form in which they could be seen."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote

API_KEY = re.compile(r"bpm_[0-9a-f]{16}_([0-9a-f]{64})")
STEM = "Canary.of:"
SHORTEST = 8
"""A piece of base64 that is shorter would be found by chance."""


class Canaries:
    """Makes a secret of its own for each place, and finds out which of them stand in what was stored or told."""

    def __init__(self) -> None:
        """Begin with none."""
        self.words: dict[str, str] = {}

    def __getitem__(self, place: str) -> str:
        """Return the secret of a place; it has letters that every encoding changes."""
        return self.words.setdefault(place, f"{STEM}{place.replace(chr(32), chr(95))}/zq+9x7")

    def add(self, place: str, word: str) -> str:
        """Take a secret that the product has made."""
        self.words[place] = word
        return word

    def add_keys_of(self, answer: Any) -> None:
        """Take every API key that an answer shows once."""
        for key in API_KEY.findall(json.dumps(answer)):
            self.words[f"key {len(self.words)}"] = key

    def without(self, beginning: str, text: str) -> str:
        """Return a text without the secrets of places that begin so: it may hold them."""
        for place, word in self.words.items():
            if place.startswith(beginning):
                text = text.replace(word, "").replace(json.dumps(word)[1:-1], "")
        return text

    def found_in(self, data: bytes | str) -> set[str]:
        """Return the places whose secrets stand in `data`, as they are or encoded."""
        raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
        stems = any(stem in raw for stem in STEMS)
        looked_for = self.words if stems else {place: word for place, word in self.words.items() if not _is_ours(word)}
        return {place for place, word in looked_for.items() if any(form in raw for form in _forms(word))}


def _is_ours(word: str) -> bool:
    return word.startswith(STEM)


def _forms(word: str) -> Iterator[bytes]:
    raw = word.encode()
    yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
    yield quote(word, safe="").encode()
    yield quote(word, safe="/").encode()
    yield json.dumps(word)[1:-1].replace("/", "\\/").encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):  # a secret may begin at each of the three places of a group
            text = encode(b"\0" * before + raw)
            piece = text[4 if before else 0 : len(text) // 4 * 4 - 4]
            if len(piece) >= SHORTEST:
                yield piece


STEMS = tuple(_forms(STEM))
"""How every secret of ours begins, in every form: where none of these stands nothing more is looked for."""


def as_bytes(value: Any) -> bytes:
    """Return a column's value as bytes to look through."""
    if isinstance(value, bytes | memoryview):
        return bytes(cast("bytes", value))
    return (json.dumps(value) if isinstance(value, Mapping | list) else str(value)).encode("utf-8", "surrogatepass")
