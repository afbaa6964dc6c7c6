"""What every table shares: naming, time, JSON and the organisation a row belongs to."""

import re
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Table, Text, TypeDecorator, event
from sqlalchemy.orm import Mapper, declared_attr
from sqlmodel import Field, SQLModel

from bpm import exact_json
from bpm.security.permissions import INSTALLATION

Integer64 = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number of 64 bits; SQLite's always are, and only an `INTEGER` key of its numbers itself."""

_MOMENT = len("2026-05-01 12:00:00.000000")


def utc_now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)


def write_moment(value: datetime | None) -> str | None:
    """Return a moment as SQLite's columns hold it: `2026-05-01 12:00:00.000000`, in UTC."""
    if value is None:
        return None
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:_MOMENT]


class WrittenJson(str):
    """JSON that was written before it came to the writer's thread; a JSON column keeps it as it is."""

    __slots__ = ()


def write_json(value: Any) -> str | None:
    """Return a value as JSON; Python's None is SQL's NULL."""
    if isinstance(value, WrittenJson):
        return str(value)
    return exact_json.write_json(value).decode() if value is not None else None


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC and always read back aware (SQLite forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring the moment to UTC."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


class JsonColumn(TypeDecorator[Any]):
    """Any JSON value, stored as text: the same bytes in both databases, integers exact."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the value as JSON; Python's None is SQL's NULL."""
        return write_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the JSON back."""
        return exact_json.read_json(value) if value is not None else None


class ForeignText(TypeDecorator[str]):
    """Text as strangers send it: NUL, which PostgreSQL can't hold, is kept (and looked for) as its symbol, U+2400."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put the symbol in the place of each NUL."""
        return value.replace("\x00", "\u2400") if value is not None else None


class Row(SQLModel):
    """A table's row; the table is called as the class, in snake_case."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  # pyright: ignore[reportIncompatibleVariableOverride]
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cast("Any", cls).__name__).lower()

    @classmethod
    def table(cls) -> Table:
        """Return the table, for Core statements."""
        return cast("Any", cls).__table__


@event.listens_for(Row, "instrument_class", propagate=True)
def _widen_integers(mapper: Mapper[Any], _row_type: type[Row]) -> None:
    """Give every whole number 64 bits, as the API promises for ids."""
    for column in cast("Table", mapper.local_table).columns:
        if type(column.type) is Integer:
            column.type = Integer64


class OrganizationRow(Row):
    """A row that belongs to an organisation; sessions see only their own (`bpm.store.session`)."""

    organization_id: int = Field(default=INSTALLATION)


def aware(value: str | datetime) -> datetime:
    """Read ISO 8601; what has no zone is UTC. Raises `ValueError`."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
