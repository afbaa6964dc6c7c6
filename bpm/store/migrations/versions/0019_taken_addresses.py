"""An index that tells which addresses are taken, without a look at the configurations themselves."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the index."""
    columns = ["organization_id", "shape", "key", "is_contested", "id"]
    op.create_index("ix_webhook_config_address", "webhook_config", columns)
