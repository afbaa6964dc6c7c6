"""How long the requests of rules are kept that say so, also after the rule is deleted."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, update
from sqlmodel import Field

from bpm.store import OrganizationRow, Transaction, UtcDateTime
from bpm.store.records import Records
from bpm.store.upsert import insert_new
from router.tables.configs import CONFIGS, WebhookConfig
from router.tables.requests import INBOUND


class RuleRetention(OrganizationRow, table=True):
    """How many days the requests of a rule are kept; all that came before `emptied_until` have lost their contents."""

    config_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    days: int
    emptied_until: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class RuleRetentionRow(NamedTuple):
    """How long the requests of a rule are kept; see `RuleRetention`."""

    organization_id: int
    config_id: int
    days: int
    emptied_until: datetime | None


RULE_RETENTION = RuleRetention.table()
_ROWS = Records(RuleRetentionRow, RULE_RETENTION)
_OF_RULE = RULE_RETENTION.c.config_id == bindparam("rule")
_CHANGE = update(RULE_RETENTION).where(_OF_RULE).values(days=bindparam("days_"))
_FORGET = delete(RULE_RETENTION).where(_OF_RULE)
_NOTE_EMPTIED = update(RULE_RETENTION).where(_OF_RULE).values(emptied_until=bindparam("until"))
_FORGET_GONE = delete(RULE_RETENTION).where(
    ~exists().where(CONFIGS.c.id == RULE_RETENTION.c.config_id),
    ~exists().where(
        INBOUND.c.organization_id == RULE_RETENTION.c.organization_id,
        INBOUND.c.config_id == RULE_RETENTION.c.config_id,
    ),
)


def keep_retention(tx: Transaction, row: WebhookConfig) -> None:
    """Note what a rule, as it was just saved, says about how long its requests are kept."""
    days = row.definition.get("retentionDays")
    if days is None:
        tx.connection.execute(_FORGET, {"rule": row.id})
        return
    kept = {"organization_id": row.organization_id, "config_id": row.id, "days": int(days)}
    if not tx.connection.execute(insert_new(tx.connection, RULE_RETENTION), kept).rowcount:
        tx.connection.execute(_CHANGE, {"rule": row.id, "days_": int(days)})


def rule_retentions(tx: Transaction) -> list[RuleRetentionRow]:
    """Return how long the requests of every rule are kept that says so."""
    return _ROWS.all(tx.connection, _ROWS.select.order_by(RULE_RETENTION.c.config_id))


def note_emptied(tx: Transaction, config_id: int, until: datetime) -> None:
    """Note that everything of a rule that came before a moment has lost its contents."""
    tx.connection.execute(_NOTE_EMPTIED, {"rule": config_id, "until": until})


def forget_gone_rules(tx: Transaction) -> None:
    """Forget the rules that were deleted and have no request any more."""
    tx.connection.execute(_FORGET_GONE)
