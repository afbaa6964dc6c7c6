"""Providers that do not answer: who waits for one holds a place of the worker, so that few do."""

from collections.abc import Callable

UNANSWERED = 3
"""After how many questions in a row without an answer a provider is silent."""
PAUSE_SECONDS = 30.0
"""How long a silent provider is asked nothing; then one question tells whether it still is."""


class ProviderSilence:
    """Notes by host whether questions are answered."""

    def __init__(self, timeout_seconds: float, now: Callable[[], float]) -> None:
        """Take how long a question waits, and the clock."""
        self._timeout = timeout_seconds
        self._now = now
        self._unanswered: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def lasts(self, host: str) -> bool:
        """Tell whether a host is silent and not to be asked; when that is over, only the first who asks may."""
        until = self._until.get(host)
        if until is None:
            return False
        if self._now() < until:
            return True
        self._until[host] = self._now() + self._timeout
        return False

    def note_none(self, host: str) -> None:
        """Note that a question was not answered in time."""
        self._unanswered[host] = self._unanswered.get(host, 0) + 1
        if self._unanswered[host] >= UNANSWERED:
            self._until[host] = self._now() + PAUSE_SECONDS

    def note_answer(self, host: str) -> None:
        """Note an answer, whatever it says."""
        self._unanswered.pop(host, None)
        self._until.pop(host, None)
