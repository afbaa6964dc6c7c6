"""The one place where rows are scoped to their organisation."""

from typing import Any, cast

from sqlalchemy import Connection, event
from sqlalchemy.orm import ORMExecuteState, UOWTransaction, with_loader_criteria
from sqlalchemy.sql.visitors import iterate
from sqlmodel import Session

from bpm.store.rows import OrganizationRow


class ScopedSession(Session):
    """A session that reads, changes and creates rows of one organisation only (None: of all)."""

    def __init__(self, connection: Connection, organization_id: int | None) -> None:
        """Join the transaction that is open on `connection`."""
        super().__init__(connection, join_transaction_mode="rollback_only", expire_on_commit=False)
        self.organization_id = organization_id


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
