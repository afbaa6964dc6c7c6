"""An application whose effects can be counted: nothing in its table hides an effect that happened twice."""

import asyncio
from collections import Counter
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Field

from bpm.bus import Command, Context, EffectContext, Query, View, handles
from bpm.store import OrganizationRow, UtcDateTime


class LedgerEntry(OrganizationRow, table=True):
    """One effect; the same reference may stand here as often as it was entered."""

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    entered_at: datetime = Field(sa_type=UtcDateTime)


ENTRIES = LedgerEntry.table()


class EntryView(View):
    """What was entered."""

    reference: str


class EnterCommand(Command[EntryView]):
    """Enter a reference."""

    permission = "ledger:write"
    succeeded = "Entered"

    reference: str


class DawdleCommand(Command[EntryView]):
    """Enter a reference after some seconds, in which no transaction is open."""

    permission = "ledger:write"
    succeeded = "Entered"

    reference: str
    seconds: float


class LedgerView(View):
    """How many entries there are, and the references that stand there more than once."""

    entries: int
    references: int
    repeated: list[str]


class GetLedgerQuery(Query[LedgerView]):
    """Count the entries."""

    permission = "ledger:read"
    succeeded = "Counted"


@handles
def enter(message: EnterCommand, context: Context) -> EntryView:
    """Append a row."""
    row = {"organization_id": context.organization_id, "reference": message.reference, "entered_at": context.now()}
    context.tx.append(ENTRIES, row)
    return EntryView(reference=message.reference)


@handles
async def dawdle(message: DawdleCommand, context: EffectContext) -> EntryView:
    """Take the time, then enter together with the settlement."""
    await asyncio.sleep(message.seconds)
    return await context.conclude(lambda inside: enter(EnterCommand(reference=message.reference), inside))


@handles
def count(query: GetLedgerQuery, context: Context) -> LedgerView:
    """Count in the database."""
    entries, references = context.tx.connection.execute(
        select(func.count(), func.count(ENTRIES.c.reference.distinct())).select_from(ENTRIES)
    ).one()
    stored = context.tx.connection.execute(select(ENTRIES.c.reference)).scalars() if entries > references else ()
    names = Counter[str](stored)
    return LedgerView(
        entries=entries, references=references, repeated=[name for name, n in names.items() if n > 1][:20]
    )
