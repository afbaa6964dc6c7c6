"""The one place where rows are scoped to their organisation."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Connection, event
from sqlalchemy.orm import ORMExecuteState, SessionTransaction, UOWTransaction, with_loader_criteria
from sqlalchemy.sql.visitors import iterate
from sqlmodel import Session

from bpm.store.rows import OrganizationRow


class ScopedSession(Session):
    """A session that reads, changes and creates rows of one organisation only (None: of all)."""

    def __init__(self, connection: Connection, organization_id: int | None) -> None:
        """Join the transaction that is open on `connection`."""
        super().__init__(connection, join_transaction_mode="rollback_only", expire_on_commit=False)
        self.organization_id = organization_id
        self._savepoint: SessionTransaction | None = None

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Bring the pending changes to the database, and undo only them when they are refused.

        Without a savepoint of its own a flush that fails would roll back the whole group's transaction.
        """
        self._savepoint = None
        try:
            super().flush(objects)
        except Exception:
            if self._savepoint is not None:
                self._savepoint.rollback()
            raise
        if self._savepoint is not None:
            self._savepoint.commit()


@event.listens_for(ScopedSession, "do_orm_execute")
def _only_own_rows(state: ORMExecuteState) -> None:
    session = cast("ScopedSession", state.session)
    if session.organization_id is None or state.is_column_load:
        return
    for row_type in _owned_types(state.statement):
        own = row_type.__table__.c["organization_id"] == session.organization_id
        state.statement = state.statement.options(with_loader_criteria(row_type, own, include_aliases=True))


def _owned_types(statement: Any) -> set[Any]:
    """Return every mapped class of the statement, wherever it stands, whose rows belong to an organisation."""
    annotations = (getattr(element, "_annotations", {}) for element in iterate(statement))
    mappers = {mapper for found in annotations if (mapper := found.get("parentmapper")) is not None}
    return {mapper.class_ for mapper in mappers if issubclass(mapper.class_, OrganizationRow)}


@event.listens_for(ScopedSession, "before_flush")
def _own_new_rows(session: ScopedSession, _context: UOWTransaction, _instances: Any) -> None:
    if session.organization_id is None:
        return
    for row in session.new:
        if isinstance(row, OrganizationRow):
            row.organization_id = session.organization_id


@event.listens_for(ScopedSession, "before_flush")
def _open_savepoint(session: ScopedSession, _context: UOWTransaction, _instances: Any) -> None:
    session._savepoint = session.begin_nested()  # pyright: ignore[reportPrivateUsage]
