"""What configurations were after each change, which is how every process learns of a change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import UniqueConstraint, bindparam, func, select
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.named_lock import take_named_lock
from router.tables.configs import CONFIGS, RULE_ROWS, RuleRow


class WebhookConfigRevision(OrganizationRow, table=True):
    """What a configuration was after a change, by whom and when; stays when the configuration is deleted.

    `drafted_by` is who wrote the draft that was published, `comment` what they said about it.
    """

    __table_args__ = (UniqueConstraint("config_id", "revision"),)

    id: int | None = Field(default=None, primary_key=True)
    config_id: int
    key: str
    revision: int
    change: str
    author_id: str
    author_name: str
    definition: dict[str, Any] = Field(sa_type=JsonColumn)
    comment: str | None = None
    drafted_by: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


REVISIONS = WebhookConfigRevision.table()
_NEWEST = select(func.max(REVISIONS.c.id))
_CHANGED = select(REVISIONS.c.config_id).where(REVISIONS.c.id > bindparam("seen"))


class ConfigChanges(NamedTuple):
    """Configurations that were changed since a revision."""

    ids: set[int]
    """Those to forget."""
    rows: list[RuleRow]
    """What they are now; a deleted one has no row any more."""
    newest: int
    """The newest revision's row."""


def changed_configs(tx: Transaction, seen: int) -> ConfigChanges:
    """Return what was changed after revision row `seen`; at first (0) every configuration counts as changed."""
    newest = tx.connection.execute(_NEWEST).scalar() or 0
    if seen == 0:
        return ConfigChanges(set(), RULE_ROWS.all(tx.connection, RULE_ROWS.select), newest)
    if newest == seen:
        return ConfigChanges(set(), [], newest)
    changed = set(tx.connection.execute(_CHANGED, {"seen": seen}).scalars())
    rows = RULE_ROWS.all(tx.connection, RULE_ROWS.select.where(CONFIGS.c.id.in_(_CHANGED)), seen=seen)
    return ConfigChanges(changed, rows, newest)


def lock_configs(tx: Transaction) -> None:
    """Wait until nobody else changes configurations: what is free now stays free until the transaction is over."""
    take_named_lock(tx, "webhook revisions")


def insert_revision(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Insert a revision: what every server process learns of a change by, so they must appear in their order."""
    lock_configs(tx)
    tx.connection.execute(REVISIONS.insert(), values)


def select_revisions(config_id: int) -> SelectOfScalar[WebhookConfigRevision]:
    """Select the revisions of one configuration, which may be deleted."""
    return select_rows(WebhookConfigRevision).where(col(WebhookConfigRevision.config_id) == config_id)


def find_revision(tx: Transaction, organization_id: int, config_id: int, revision: int) -> WebhookConfigRevision | None:
    """Return what a configuration was at a revision, or None."""
    at = col(WebhookConfigRevision.revision) == revision
    return tx.session(organization_id).exec(select_revisions(config_id).where(at)).first()


def has_revisions(tx: Transaction, organization_id: int, config_id: int) -> bool:
    """Tell whether there is, or was, a configuration with this id."""
    return tx.session(organization_id).exec(select_revisions(config_id).limit(1)).first() is not None
