"""Drafts of configurations: kept apart from what is live until somebody publishes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, delete, func, select, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime


class WebhookDraft(OrganizationRow, table=True):
    """A draft of a new configuration, or of changes to the one that `config_id` names.

    `definition` holds the fields as on the wire, secrets encrypted; `***` stands for the secret of the configuration
    at the time of its publication. `base_revision` is the revision that the draft starts from, `revision` counts the
    changes of the draft itself. `authors` are the accounts and keys that wrote it, `authority` says on whose behalf it
    would act.
    """

    __table_args__ = (
        Index("ix_webhook_draft_org", "organization_id", "created_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    config_id: int | None = None
    key: str
    base_revision: int = 0
    revision: int = 1
    definition: dict[str, Any] = Field(sa_type=JsonColumn)
    comment: str = ""
    author_name: str
    authors: list[str] = Field(sa_type=JsonColumn)
    authority: dict[str, Any] = Field(sa_type=JsonColumn)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


DRAFTS = WebhookDraft.table()


def find_draft(tx: Transaction, organization_id: int, draft_id: int) -> WebhookDraft | None:
    """Return a draft of an organisation, or None."""
    return tx.session(organization_id).exec(select_drafts().where(col(WebhookDraft.id) == draft_id)).first()


def select_drafts(config_id: int | None = None) -> SelectOfScalar[WebhookDraft]:
    """Select drafts, all or those of changes to one configuration."""
    statement = select_rows(WebhookDraft)
    return statement if config_id is None else statement.where(col(WebhookDraft.config_id) == config_id)


def count_drafts(tx: Transaction, organization_id: int) -> int:
    """Count an organisation's drafts."""
    own = DRAFTS.c.organization_id == organization_id
    return tx.connection.execute(select(func.count()).select_from(DRAFTS).where(own)).scalar_one()


def insert_draft(tx: Transaction, values: Mapping[str, Any]) -> int:
    """Store a draft and return its id."""
    key = tx.connection.execute(DRAFTS.insert(), values).inserted_primary_key
    assert key is not None
    return key[0]


def update_draft(tx: Transaction, row: WebhookDraft, values: Mapping[str, Any]) -> bool:
    """Change a draft; tells False when somebody else changed it since it was read."""
    is_it = (DRAFTS.c.id == row.id, DRAFTS.c.revision == row.revision)
    changed = tx.connection.execute(update(DRAFTS).where(*is_it).values(**values, revision=row.revision + 1))
    tx.session(row.organization_id).refresh(row)
    return changed.rowcount == 1


def delete_draft(tx: Transaction, row: WebhookDraft) -> bool:
    """Delete a draft as it was read; tells False when somebody else changed or deleted it since."""
    is_it = (DRAFTS.c.id == row.id, DRAFTS.c.revision == row.revision)
    return tx.connection.execute(delete(DRAFTS).where(*is_it)).rowcount == 1
