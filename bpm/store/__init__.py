"""The database: one model for SQLite and PostgreSQL, one grouped writer a process, readers beside it."""

from bpm.store.database import Database
from bpm.store.opening import open_database
from bpm.store.preparation import Unprepared
from bpm.store.rows import ForeignText, JsonColumn, OrganizationRow, Row, UtcDateTime, WrittenJson, utc_now
from bpm.store.transaction import Transaction
from bpm.store.watchdog import Overran

__all__ = [
    "Database",
    "ForeignText",
    "JsonColumn",
    "OrganizationRow",
    "Overran",
    "Row",
    "Transaction",
    "Unprepared",
    "UtcDateTime",
    "WrittenJson",
    "open_database",
    "utc_now",
]
