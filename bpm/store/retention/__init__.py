"""Retention: what is old goes, in small batches beside everything else.

Each area says in its own `retention` module what of its tables goes and when; nothing here knows a table.
"""

from bpm.store.retention.keeper import Retention
from bpm.store.retention.policy import Policy, Share
from bpm.store.retention.tables import RetentionMark, retention_marks

__all__ = ["Policy", "Retention", "RetentionMark", "Share", "retention_marks"]
