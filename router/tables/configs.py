"""Webhook configurations, and the records that queries return of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

from sqlalchemy import Index, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.lookup import Lookup
from bpm.store.records import Records


class WebhookConfig(OrganizationRow, table=True):
    """A configuration; `definition` holds its fields as on the wire, secrets encrypted.

    `shape` is the path with nameless parameters. A rule runs with the permissions that `author_id` (or the service
    account `run_as_id`) had when it was saved and still has; `authority` names the accounts that are asked. One that
    `is_contested` overlapped an older one of another organisation before that was refused; it answers nothing until
    it is saved anew. While `paused_at` is set, what is accepted waits. `applied_at` is set while it is as files say
    that were applied.
    """

    __table_args__ = (
        # tells which addresses are taken without a look at the rows
        Index("ix_webhook_config_address", "organization_id", "shape", "key", "is_contested", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    description: str
    is_enabled: bool
    path: str
    shape: str
    action: str
    execution_type: int
    definition: dict[str, Any] = Field(sa_type=JsonColumn)
    labels: str = ""
    revision: int = 1
    author_id: str
    author_name: str
    permissions: list[str] = Field(sa_type=JsonColumn)
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    run_as_id: str | None = None
    is_contested: bool = False
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class ConfigRow(NamedTuple):
    """A configuration as answers show it, to be looked at only."""

    id: int
    key: str
    path: str
    definition: dict[str, Any]
    """The fields as on the wire, secrets encrypted."""
    revision: int
    author_name: str
    is_contested: bool
    """Whether it overlaps an older one of another organisation, and so answers nothing."""
    paused_at: datetime | None
    applied_at: datetime | None
    """When files were last applied that hold it, unless it was changed since."""
    created_at: datetime
    updated_at: datetime | None


class RuleRow(NamedTuple):
    """A configuration as its route and its rule are made of it; the last two fields no plan of a back-test keeps."""

    id: int
    """0 for a draft."""
    key: str
    organization_id: int
    revision: int
    description: str
    is_enabled: bool
    path: str
    action: str
    """The HTTP method."""
    execution_type: int
    definition: dict[str, Any]
    """The fields as on the wire, secrets encrypted."""
    author_id: str
    run_as_id: str | None
    """The service account whose permissions count instead of the author's."""
    permissions: list[str]
    """What the author had when it was saved."""
    authority: dict[str, Any] | None = None
    """The accounts that are asked at each request; rows from before that was stored have none."""
    is_contested: bool = False
    paused_at: datetime | None = None

    @classmethod
    def of(cls, row: WebhookConfig) -> Self:
        """Return the record of an entity, which may be a draft."""
        return cls._make(getattr(row, name) for name in cls._fields)


CONFIGS = WebhookConfig.table()
RULE_ROWS = Records(RuleRow, CONFIGS)

_CONFIG_ROWS = Records(ConfigRow, CONFIGS)
_CONFIG_BY_ID = Lookup(_CONFIG_ROWS, CONFIGS, "id")
_CONFIG_BY_KEY = Lookup(_CONFIG_ROWS, CONFIGS, "key")


def config_by_id(tx: Transaction, organization_id: int | None, config_id: int) -> WebhookConfig | None:
    """Return one configuration."""
    return (
        tx.session(organization_id).exec(select_rows(WebhookConfig).where(col(WebhookConfig.id) == config_id)).first()
    )


def config_row_by_id(tx: Transaction, organization_id: int, config_id: int) -> ConfigRow | None:
    """Return one configuration to be looked at only, or None."""
    return _CONFIG_BY_ID.first(tx, organization_id, id=config_id)


def config_with_key(tx: Transaction, organization_id: int | None, key: str) -> ConfigRow | None:
    """Return the configuration with a key to be looked at only; keys are unique over all organisations."""
    return _CONFIG_BY_KEY.first(tx, organization_id, key=key)


def count_configs(tx: Transaction, organization_id: int) -> int:
    """Count an organisation's configurations."""
    own = CONFIGS.c.organization_id == organization_id
    return tx.connection.execute(select(func.count()).select_from(CONFIGS).where(own)).scalar_one()


def insert_config(tx: Transaction, values: Mapping[str, Any]) -> WebhookConfig | None:
    """Insert a configuration and return it, or None when its key is taken."""
    try:
        with tx.savepoint():
            key = tx.connection.execute(CONFIGS.insert(), values).inserted_primary_key
    except IntegrityError:
        return None
    return config_by_id(tx, values["organization_id"], key[0]) if key else None


def update_config(tx: Transaction, row: WebhookConfig, values: Mapping[str, Any]) -> None:
    """Change a configuration, the row included."""
    tx.connection.execute(update(CONFIGS).where(CONFIGS.c.id == row.id).values(**values))
    tx.session(row.organization_id).refresh(row)


def note_applied(tx: Transaction, organization_id: int, keys: Iterable[str], now: datetime) -> None:
    """Note that these configurations of an organisation are as applied files say."""
    are_they = (CONFIGS.c.organization_id == organization_id, CONFIGS.c.key.in_(list(keys)))
    tx.connection.execute(update(CONFIGS).where(*are_they).values(applied_at=now))


def delete_config(tx: Transaction, row: WebhookConfig) -> None:
    """Delete a configuration; its revisions and requests stay, and so does how long these are kept."""
    tx.connection.execute(delete(CONFIGS).where(CONFIGS.c.id == row.id))


def select_configs(
    is_enabled: bool | None, execution_type: int | None, label: str | None
) -> SelectOfScalar[WebhookConfig]:
    """Select configurations, narrowed by what is not None."""
    statement = select_rows(WebhookConfig)
    if is_enabled is not None:
        statement = statement.where(col(WebhookConfig.is_enabled) == is_enabled)
    if execution_type is not None:
        statement = statement.where(col(WebhookConfig.execution_type) == execution_type)
    if label is not None:
        statement = statement.where(col(WebhookConfig.labels).contains(f"\n{label}\n", autoescape=True))
    return statement


def labels_text(labels: Sequence[str]) -> str:
    """Return labels as they are stored, so that `select_configs` finds each of them whole."""
    return "".join(f"\n{label}\n" for label in labels)
