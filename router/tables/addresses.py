"""Which configurations answer which addresses."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select, true

from bpm.store import Transaction
from router.tables.configs import CONFIGS


def config_answering(tx: Transaction, organization_id: int, path_shape: str, action: str) -> Any:
    """Return (id, key) of an organisation's configuration that answers paths of this shape for a method, or None."""
    own = (CONFIGS.c.organization_id == organization_id, CONFIGS.c.shape == path_shape, CONFIGS.c.action == action)
    return tx.connection.execute(select(CONFIGS.c.id, CONFIGS.c.key).where(*own)).first()


def foreign_configs_near(tx: Transaction, organization_id: int, path_shape: str) -> Sequence[Any]:
    """Return (id, key, shape) of other organisations' configurations that may answer addresses of a shape.

    They are those with as many segments and the same first one, and, where there is one segment only, those whose
    key it is.
    """
    columns, first = CONFIGS.c, path_shape.partition("/")[0].lower()
    slashes = func.length(columns.shape) - func.length(func.replace(columns.shape, "/", ""))
    places = [columns.shape.startswith("{}/")]
    if "/" in path_shape:
        places.append(func.lower(columns.shape).startswith(f"{first}/", autoescape=True))
    near = (slashes == path_shape.count("/")) & (or_(*places) if first != "{}" else true())
    if "/" not in path_shape:
        near = or_(func.lower(columns.shape) == first, func.lower(columns.key) == first)
    foreign = (columns.organization_id != organization_id, columns.is_contested.is_(False), near)
    return tx.connection.execute(select(columns.id, columns.key, columns.shape).where(*foreign)).all()
