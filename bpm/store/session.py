"""The one place where rows are scoped to their organisation."""

from typing import Any, cast

from sqlalchemy import Connection, event
from sqlalchemy.orm import ORMExecuteState, UOWTransaction, with_loader_criteria
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
    for mapper in state.all_mappers:
        if issubclass(mapper.class_, OrganizationRow):
            own = mapper.c["organization_id"] == session.organization_id
            state.statement = state.statement.options(with_loader_criteria(mapper.class_, own, include_aliases=True))


@event.listens_for(ScopedSession, "before_flush")
def _own_new_rows(session: ScopedSession, _context: UOWTransaction, _instances: Any) -> None:
    if session.organization_id is None:
        return
    for row in session.new:
        if isinstance(row, OrganizationRow):
            row.organization_id = session.organization_id
