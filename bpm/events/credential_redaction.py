"""What a receiver sends back of the credentials that it was sent is not kept, in whichever form it comes."""

import base64
import binascii
import contextlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from bpm.events.attempt_result import RETRY_AFTER, AttemptResult
from bpm.exact_json import write_json
from bpm.security.redaction import REDACTED

SHORTEST_SECRET = 8
"""A shorter word of a header is no secret, and may stand in any answer."""

SHORTEST_CUT = 4
"""A shorter beginning of a secret tells too little of it to be looked for at the end of a text."""

MAX_WORDS = 64
"""Maximum number of words of credentials that are looked for; with more, only the status of an answer is kept."""

NOT_KEPT = f"(not kept: the headers and the URL of the subscription hold more than {MAX_WORDS} words)"


def redact_echoed_credentials(attempt: AttemptResult, credentials: Iterable[str]) -> AttemptResult:
    """Return the attempt without those words of credentials in it that the receiver sent back."""
    words = {word for text in credentials for word in text.split()}
    if len(words) > MAX_WORDS:
        return _without_answer(attempt)
    forms = {form for word in words for form in _forms(word) if len(form) >= SHORTEST_SECRET}
    if not forms:
        return attempt
    echoes = _Echoes(forms)
    headers = {echoes.removed(name): echoes.removed(value) for name, value in attempt.headers.items()}
    body = None if attempt.body is None else echoes.removed(attempt.body)
    error = None if attempt.error is None else echoes.removed_in_part(attempt.error)
    return replace(attempt, headers=headers, body=body, error=error)


class _Echoes:
    """The forms that are looked for; each search takes time in proportion to the text."""

    def __init__(self, forms: Iterable[str]) -> None:
        self._sorted = sorted(forms)
        self._longest_first = sorted(self._sorted, key=len, reverse=True)
        self._first_letters = {form[:SHORTEST_CUT] for form in self._sorted}

    def removed(self, text: str) -> str:
        """Return a text, which may have been cut, without the forms and without the beginning of one at its end."""
        for form in self._longest_first:
            text = text.replace(form, REDACTED)
        for length in range(min(len(text), len(self._longest_first[0])), SHORTEST_CUT - 1, -1):
            if self._is_beginning(text[-length:]):
                return text[:-length] + REDACTED
        return text

    def removed_in_part(self, text: str) -> str:
        """Return a short text without the forms, and without their beginnings wherever they stand."""
        text = self.removed(text)
        for beginning in {form[:SHORTEST_SECRET] for form in self._sorted}:
            while (at := text.find(beginning)) >= 0:
                text = text[:at] + REDACTED + text[self._end_of_beginning(text, at) :]
        return text

    def _end_of_beginning(self, text: str, at: int) -> int:
        end = at + SHORTEST_SECRET
        while end < len(text) and self._is_beginning(text[at : end + 1]):
            end += 1
        return end

    def _is_beginning(self, text: str) -> bool:
        if text[:SHORTEST_CUT] not in self._first_letters:
            return False
        at = bisect_left(self._sorted, text)
        return at < len(self._sorted) and self._sorted[at].startswith(text)


def _without_answer(attempt: AttemptResult) -> AttemptResult:
    headers = {name: value for name, value in attempt.headers.items() if name == RETRY_AFTER}
    error = None if attempt.error is None else attempt.error.partition(" (")[0]
    return replace(attempt, headers=headers, body=None if attempt.body is None else NOT_KEPT, error=error)


def _forms(word: str) -> Iterable[str]:
    """Yield how a word may be repeated: as it is, escaped, encoded, and what it is the encoding of (as in Basic)."""
    raw = word.encode()
    written = write_json(word)[1:-1].decode()
    yield from (word, quote(word, safe=""), written, repr(raw)[2:-1], raw.hex(), raw.hex().upper())
    yield word.lower()
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    with contextlib.suppress(binascii.Error, ValueError):
        decoded = base64.b64decode(word, validate=True).decode("ascii")
        yield decoded
        yield decoded.partition(":")[2]
