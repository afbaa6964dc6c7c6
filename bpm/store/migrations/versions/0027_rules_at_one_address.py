"""Several webhook configurations may answer one address: their conditions say which takes a request."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

NAMES = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}
LAST = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'webhook_config'")


def upgrade() -> None:
    """Drop the constraint; who saves a configuration holds a lock while its address is looked up."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("webhook_config_shape_action_key", "webhook_config")
        return
    last = op.get_bind().execute(LAST).scalar()
    with op.batch_alter_table(
        "webhook_config", naming_convention=NAMES, table_kwargs={"sqlite_autoincrement": True}
    ) as table:
        table.drop_constraint("uq_webhook_config_shape_action", type_="unique")
    if last is not None:  # the copied table would give the ids of deleted configurations again
        _count_on_from(last)


def _count_on_from(last: int) -> None:
    bind, name = op.get_bind(), {"name": "webhook_config"}
    bind.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
    bind.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), {**name, "last": last})
