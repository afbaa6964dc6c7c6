"""Which configurations answer which addresses."""

from typing import Any, NamedTuple

from sqlalchemy import func, or_, true

from bpm.store import Transaction
from bpm.store.records import Records
from router.tables.configs import CONFIGS


class ConfigAtAddress(NamedTuple):
    """A configuration by what tells it from others at its address."""

    id: int
    key: str
    action: str
    definition: dict[str, Any]
    """The fields as on the wire, secrets encrypted."""

    @property
    def methods(self) -> set[str]:
        """Every method that it takes."""
        return {self.action, *self.definition.get("moreMethods", ())}

    @property
    def order(self) -> int | None:
        """Where it stands among those with a condition; None when it has none."""
        return self.definition.get("order")


class AddressedConfig(NamedTuple):
    """A configuration by what it answers."""

    id: int
    key: str
    shape: str
    """The path with nameless parameters."""


_ADDRESSED = Records(AddressedConfig, CONFIGS)
_AT_ADDRESS = Records(ConfigAtAddress, CONFIGS)


def configs_at(tx: Transaction, organization_id: int, path_shape: str) -> list[ConfigAtAddress]:
    """Return an organisation's configurations whose paths have this shape."""
    own = (CONFIGS.c.organization_id == organization_id, CONFIGS.c.shape == path_shape)
    return _AT_ADDRESS.all(tx.connection, _AT_ADDRESS.select.where(*own).order_by(CONFIGS.c.id))


def foreign_configs_near(tx: Transaction, organization_id: int, path_shape: str) -> list[AddressedConfig]:
    """Return other organisations' configurations that may answer addresses of a shape.

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
    return _ADDRESSED.all(tx.connection, _ADDRESSED.select.where(*foreign))
