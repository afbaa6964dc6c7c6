"""Questions that a provider did not answer: they are asked again for weeks, long after their job was given up."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from bpm.bus import Context, EffectContext
from bpm.errors import Failed, Unavailable
from bpm.exact_json import write_json
from commands.payments.tables import CONFIRMED, AskedBackRow

PAUSE = timedelta(hours=6)
"""After how long a question without an answer is asked again."""
LONGEST = timedelta(days=30)
"""How old a payment may be that is still asked about so."""

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class ProviderQuestion:
    """A command that asks a provider back, its fields, and what finds the row that it is about."""

    name: str
    fields: Mapping[str, Any]
    find: Callable[[Context], AskedBackRow | None]

    async def answer(self, context: EffectContext, asked: Awaitable[A]) -> A:
        """Return what the provider says; raises as `asked` does, and has the question put again by then.

        The job of a question is tried five times in 72 minutes: an outage, or credentials that were exchanged at the
        provider first, last longer.
        """
        try:
            return await asked
        except (Failed, Unavailable):
            await context.note(self._put_again)
            raise

    def _put_again(self, context: Context) -> None:
        row, now = self.find(context), context.now()
        if row is None or row.status == CONFIRMED or now - row.created_at > LONGEST:
            return
        turn = int((now + PAUSE).timestamp() // PAUSE.total_seconds())
        key = f"unanswered:{turn}:{write_json(self.fields).decode()}"
        context.later(self.name, self.fields, delay=PAUSE, key=key, depth=0)
