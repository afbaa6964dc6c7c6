"""Organisations: no session reads, changes or counts another one's rows."""

import pytest
from sqlalchemy import delete, func, update
from sqlalchemy.orm import aliased
from sqlmodel import Field, col, select

from bpm.store import Database, OrganizationRow, Transaction
from bpm.store.paging import PageRequest, Total, fetch_page

pytestmark = pytest.mark.anyio


class SessionSample(OrganizationRow, table=True):
    """A row of some organisation."""

    id: int | None = Field(default=None, primary_key=True)
    word: str


def fill(tx: Transaction) -> None:
    for organization_id in (1, 2):
        session = tx.session(organization_id)
        session.add(SessionSample(word=f"of {organization_id}"))
        session.flush()


async def test_a_session_sees_only_its_organisation(database: Database) -> None:
    """A select in one organisation's session finds none of another's rows; None sees all."""
    await database.write(fill)

    def seen(tx: Transaction, organization_id: int | None) -> list[str]:
        return [row.word for row in tx.session(organization_id).exec(select(SessionSample)).all()]

    assert await database.read(lambda tx: seen(tx, 1)) == ["of 1"]
    assert await database.read(lambda tx: seen(tx, 2)) == ["of 2"]
    assert len(await database.read(lambda tx: seen(tx, None))) == 2


async def test_a_row_of_another_organisation_can_not_be_fetched_by_its_id(database: Database) -> None:
    """Knowing the id of a foreign row is of no use."""
    await database.write(fill)

    def fetch(tx: Transaction) -> SessionSample | None:
        return tx.session(2).exec(select(SessionSample).where(col(SessionSample.id) == 1)).first()

    assert await database.read(fetch) is None
    assert await database.read(lambda tx: tx.session(2).get(SessionSample, 1)) is None


async def test_pages_count_only_the_own_rows(database: Database) -> None:
    """Neither the items nor the total of a page tell of another organisation."""
    await database.write(fill)
    request = PageRequest(
        row_type=SessionSample,
        number=1,
        size=10,
        search=None,
        search_columns=(),
        order=col(SessionSample.id),
        descending=False,
        created=col(SessionSample.id),
        start=None,
        end=None,
    )

    def words(tx: Transaction) -> tuple[list[str], Total]:
        rows, total = fetch_page(tx.session(2), select(SessionSample), request)
        return [row.word for row in rows], total

    assert await database.read(words) == (["of 2"], Total(1))


async def test_counts_joins_and_subqueries_are_scoped_too(database: Database) -> None:
    """However a statement reaches a table, it reaches only the organisation's rows."""
    await database.write(fill)
    other = aliased(SessionSample)
    statements = [
        select(func.count()).select_from(SessionSample),
        select(func.count(col(SessionSample.id))),
        select(func.count()).select_from(select(SessionSample).subquery()),
        select(func.count()).select_from(SessionSample).join(other, col(other.id) == col(SessionSample.id)),
        select(func.count()).where(col(SessionSample.id).in_(select(SessionSample.id))),
    ]

    def counts(tx: Transaction) -> list[int]:
        return [tx.session(2).exec(statement).one() for statement in statements]

    assert await database.read(counts) == [1, 1, 1, 1, 1]


async def test_updates_and_deletes_leave_foreign_rows_alone(database: Database) -> None:
    """A bulk change in one organisation's session changes no other's rows."""
    await database.write(fill)

    def change(tx: Transaction) -> None:
        tx.session(2).exec(update(SessionSample).values(word="changed"))
        tx.session(2).exec(delete(SessionSample))

    await database.write(change)
    assert await database.read(lambda tx: [r.word for r in tx.session(None).exec(select(SessionSample))]) == ["of 1"]
