"""The database: one model for SQLite and PostgreSQL, one grouped writer a process, readers beside it."""

from bpm.store.database import Database
from bpm.store.factory import open_database
from bpm.store.preload import PreloadRequired
from bpm.store.rows import ForeignText, JsonColumn, OrganizationRow, Row, UtcDateTime, WrittenJson, utc_now
from bpm.store.transaction import Transaction
from bpm.store.watchdog import TimeLimitExceeded

__all__ = [
    "Database",
    "ForeignText",
    "JsonColumn",
    "OrganizationRow",
    "PreloadRequired",
    "Row",
    "TimeLimitExceeded",
    "Transaction",
    "UtcDateTime",
    "WrittenJson",
    "open_database",
    "utc_now",
]
