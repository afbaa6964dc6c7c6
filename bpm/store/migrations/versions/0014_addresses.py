"""Addresses belong to an organisation: of two that overlap the older answers, the younger is contested."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from bpm.store.rows import Integer64

revision = "0014"
down_revision = "0013"

CONFIGS = sa.table(
    "webhook_config",
    *(sa.column(name, Integer64) for name in ("id", "organization_id")),
    *(sa.column(name, sa.String) for name in ("key", "shape")),
    sa.column("is_contested", sa.Boolean),
)


def upgrade() -> None:
    """Add the column, and mark what overlaps an older configuration of another organisation."""
    op.add_column("webhook_config", sa.Column("is_contested", sa.Boolean(), nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    columns = (CONFIGS.c.id, CONFIGS.c.organization_id, CONFIGS.c.key, CONFIGS.c.shape)
    for config_id in contested(connection.execute(sa.select(*columns).order_by(CONFIGS.c.id)).all()):
        connection.execute(CONFIGS.update().where(CONFIGS.c.id == config_id).values(is_contested=True))


def contested(rows: Iterable[Any]) -> list[int]:
    """Return the ids of rows, given by age, whose paths are answered by an older row of another organisation."""
    answering: dict[int, dict[str, list[tuple[int, list[str]]]]] = defaultdict(lambda: defaultdict(list))
    found: list[int] = []
    for row in rows:
        segments = row.shape.split("/")
        known = answering[len(segments)]
        near = known if segments[0] == "{}" else {segments[0], "{}"} & known.keys()
        if any(_is_foreign(row, segments, *other) for first in near for other in known[first]):
            found.append(row.id)
            continue
        known[segments[0]].append((row.organization_id, segments))
        answering[1][row.key].append((row.organization_id, [row.key]))
    return found


def _is_foreign(row: Any, segments: list[str], organization_id: int, others: list[str]) -> bool:
    pairs = zip(segments, others, strict=True)
    return organization_id != row.organization_id and all(a == b or "{}" in (a, b) for a, b in pairs)
