"""Which features an organisation has; without a row it has them all."""

from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlmodel import Field

from bpm.store import OrganizationRow, Transaction, UtcDateTime
from bpm.store.upsert import insert_new

FeatureName = Literal["webhooks"]
"""What can be switched: `webhooks` is the whole of PlanDocket's interface."""


class Feature(OrganizationRow, table=True):
    """A feature that was switched on or off for an organisation."""

    organization_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    is_on: bool
    switched_at: datetime = Field(sa_type=UtcDateTime)


FEATURES = Feature.table()


def is_on(tx: Transaction, organization_id: int, name: FeatureName) -> bool:
    """Tell whether an organisation has a feature."""
    own = (FEATURES.c.organization_id == organization_id, FEATURES.c.name == name)
    found = tx.connection.execute(select(FEATURES.c.is_on).where(*own)).scalar()
    return found is None or found


def switch(tx: Transaction, organization_id: int, name: FeatureName, now: datetime, *, on: bool) -> None:
    """Switch a feature of an organisation."""
    values = {"is_on": on, "switched_at": now}
    key = {"organization_id": organization_id, "name": name}
    if tx.connection.execute(insert_new(tx.connection, FEATURES), {**key, **values}).rowcount == 0:
        own = (FEATURES.c.organization_id == organization_id, FEATURES.c.name == name)
        tx.connection.execute(update(FEATURES).where(*own).values(**values))
