"""Deployed forms."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint, func, select
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import OrganizationRow, Transaction, UtcDateTime
from bpm.store.session import ScopedSession


class DeployedForm(OrganizationRow, table=True):
    """One version of a form; `key` is its id in its file, `form_json` the file, sealed."""

    __table_args__ = (UniqueConstraint("organization_id", "key", "version"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    key: str
    version: int
    version_tag: str | None = None
    form_json: str
    author_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


FORMS = DeployedForm.table()


def find_form(session: ScopedSession, form_id: int) -> DeployedForm | None:
    """Return one version of a form."""
    return session.exec(select_rows(DeployedForm).where(col(DeployedForm.id) == form_id)).first()


def newest_form(session: ScopedSession, key: str) -> DeployedForm | None:
    """Return the newest version of a form."""
    return session.exec(select_forms(key).order_by(col(DeployedForm.version).desc())).first()


def newest_forms(tx: Transaction, organization_id: int, keys: Iterable[str] | None = None) -> Iterator[Any]:
    """Yield the newest version of each form, of those with these keys if they are given."""
    newest = select(func.max(FORMS.c.id)).where(FORMS.c.organization_id == organization_id)
    if keys is not None:
        newest = newest.where(FORMS.c.key.in_(list(keys)))
    found = select(FORMS).where(FORMS.c.id.in_(newest.group_by(FORMS.c.key))).order_by("key")
    yield from tx.reading.execute(found)


def select_forms(key: str | None) -> SelectOfScalar[DeployedForm]:
    """Select the versions of forms, of one if its id is given."""
    statement = select_rows(DeployedForm)
    return statement if key is None else statement.where(col(DeployedForm.key) == key)
