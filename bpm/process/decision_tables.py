"""Deployed decisions."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.process.newest_versions import newest_versions
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.session import ScopedSession


class DeployedDecision(OrganizationRow, table=True):
    """One version of a decision; decisions deployed in one DMN file each have a row with the whole file.

    `authority` names who wrote it; of a version from before there were any, nobody.
    """

    __table_args__ = (UniqueConstraint("organization_id", "key", "version"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    key: str
    version: int
    name: str
    dmn_xml: str
    author_id: str
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    version_tag: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


DECISIONS = DeployedDecision.table()


def find_decision(session: ScopedSession, decision_id: int) -> DeployedDecision | None:
    """Return one version of a decision."""
    return session.exec(select_rows(DeployedDecision).where(col(DeployedDecision.id) == decision_id)).first()


def newest_decision(session: ScopedSession, key: str) -> DeployedDecision | None:
    """Return the newest version of a decision."""
    statement = select_rows(DeployedDecision).where(col(DeployedDecision.key) == key)
    return session.exec(statement.order_by(col(DeployedDecision.version).desc())).first()


def newest_decisions(tx: Transaction, organization_id: int, keys: Iterable[str] | None = None) -> Iterator[Any]:
    """Return the newest version of each decision, of those with these keys if they are given."""
    return newest_versions(tx, DECISIONS, organization_id, keys)


def select_decisions(key: str | None) -> SelectOfScalar[DeployedDecision]:
    """Select the versions of decisions, of one if its id is given."""
    statement = select_rows(DeployedDecision)
    return statement if key is None else statement.where(col(DeployedDecision.key) == key)
