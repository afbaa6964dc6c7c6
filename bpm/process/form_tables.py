"""Deployed forms."""

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


class DeployedForm(OrganizationRow, table=True):
    """One version of a form; `key` is its id in its file, `form_json` the file, sealed.

    `authority` names who wrote it; of a version from before there were any, nobody.
    """

    __table_args__ = (UniqueConstraint("organization_id", "key", "version"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    key: str
    version: int
    version_tag: str | None = None
    form_json: str
    author_id: str
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


FORMS = DeployedForm.table()


def find_form(session: ScopedSession, form_id: int) -> DeployedForm | None:
    """Return one version of a form."""
    return session.exec(select_rows(DeployedForm).where(col(DeployedForm.id) == form_id)).first()


def newest_form(session: ScopedSession, key: str) -> DeployedForm | None:
    """Return the newest version of a form."""
    return session.exec(select_forms(key).order_by(col(DeployedForm.version).desc())).first()


def newest_forms(tx: Transaction, organization_id: int, keys: Iterable[str] | None = None) -> Iterator[Any]:
    """Return the newest version of each form, of those with these keys if they are given."""
    return newest_versions(tx, FORMS, organization_id, keys)


def select_forms(key: str | None) -> SelectOfScalar[DeployedForm]:
    """Select the versions of forms, of one if its id is given."""
    statement = select_rows(DeployedForm)
    return statement if key is None else statement.where(col(DeployedForm.key) == key)
