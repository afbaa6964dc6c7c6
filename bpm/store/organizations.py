"""The organisations that rows belong to: what each is called, may have, and whether it is switched on."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, exists, func, select
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.security.permissions import INSTALLATION
from bpm.store.named_lock import take_named_lock
from bpm.store.row_lock import first_to_change
from bpm.store.rows import JsonColumn, Row, UtcDateTime
from bpm.store.transaction import Transaction
from bpm.store.upsert import insert_new

FeatureName = Literal["webhooks", "rule_review"]
"""What an organisation may have: `webhooks` is the whole of PlanDocket's interface.

With `rule_review` rules change only by drafts that somebody else publishes.
"""
USUAL_FEATURES: dict[FeatureName, bool] = {"webhooks": True, "rule_review": False}

LimitName = Literal["max_subscriptions", "max_users", "max_webhooks"]


class Organization(Row, table=True):
    """An organisation; `features` holds those that were switched, the others are on.

    A limit that is not set is the installation's. While `deactivated_at` is set nothing of it works.
    """

    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    description: str = ""
    features: dict[str, bool] = Field(default_factory=dict[str, bool], sa_type=JsonColumn)
    max_subscriptions: int | None = None
    max_users: int | None = None
    max_webhooks: int | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    deactivated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True, index=True)


ORGANIZATIONS = Organization.table()

_OFF = select(ORGANIZATIONS.c.id).where(ORGANIZATIONS.c.deactivated_at.is_not(None))


def is_switched_off(organization_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that the organisation of a row is switched off."""
    is_it = ORGANIZATIONS.c.id == organization_id
    return exists().where(is_it, ORGANIZATIONS.c.deactivated_at.is_not(None))


def switched_off(tx: Transaction) -> frozenset[int]:
    """Return the organisations that are switched off."""
    return frozenset(tx.connection.execute(_OFF).scalars())


def is_active(tx: Transaction, organization_id: int, *, is_locked: bool = False) -> bool:
    """Tell whether an organisation is there and switched on; the installation's own always is.

    With `is_locked` nobody switches it on or off before the transaction ends.
    """
    if organization_id == INSTALLATION:
        return True
    own = (ORGANIZATIONS.c.id == organization_id, ORGANIZATIONS.c.deactivated_at.is_(None))
    found = select(ORGANIZATIONS.c.id).where(*own)
    return tx.connection.execute(found.with_for_update(read=True) if is_locked else found).first() is not None


def organization(tx: Transaction, organization_id: int) -> Organization | None:
    """Return an organisation, to be changed by nobody else meanwhile."""
    statement = select_rows(Organization).where(col(Organization.id) == organization_id)
    return first_to_change(tx, None, statement)


def select_organizations(*, is_active: bool | None) -> SelectOfScalar[Organization]:
    """Select organisations for a list; None lets all through."""
    statement = select_rows(Organization)
    if is_active is None:
        return statement
    since = col(Organization.deactivated_at)
    return statement.where(since.is_(None) if is_active else since.is_not(None))


def keep_organization(tx: Transaction, row: Organization) -> bool:
    """Insert an organisation, or write the changes of one that was read; tells False when its name is taken.

    Capitals make no other name.
    """
    take_named_lock(tx, "organisations")
    same = func.lower(ORGANIZATIONS.c.name) == func.lower(row.name)
    if set(tx.connection.execute(select(ORGANIZATIONS.c.id).where(same)).scalars()) - {row.id}:
        return False
    tx.session(None).add(row)
    tx.session(None).flush()
    return True


def limit_of(tx: Transaction, organization_id: int, name: LimitName) -> int | None:
    """Return an organisation's own limit, or None when it has none of its own."""
    own = ORGANIZATIONS.c.id == organization_id
    return tx.connection.execute(select(ORGANIZATIONS.c[name]).where(own)).scalar()


def has_feature(tx: Transaction, organization_id: int, name: FeatureName) -> bool:
    """Tell whether an organisation has a feature."""
    own = ORGANIZATIONS.c.id == organization_id
    features: dict[str, bool] = tx.connection.execute(select(ORGANIZATIONS.c.features).where(own)).scalar() or {}
    return features.get(name, USUAL_FEATURES[name])


def ensure_installation(tx: Transaction, now: datetime) -> None:
    """Write the installation's own organisation down, unless it is."""
    about: dict[str, Any] = {"name": "Installation", "description": "", "features": {}, "created_at": now}
    tx.connection.execute(insert_new(tx.connection, ORGANIZATIONS), {"id": INSTALLATION, **about})
