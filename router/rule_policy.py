"""What goes of the rules that say how long their requests are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column

from bpm.settings import RetentionSettings
from bpm.store import Transaction
from bpm.store.retention import Policy, Share
from router.tables.rule_retention import RuleRetentionRow, note_emptied, rule_retentions


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePolicy(Policy):
    """Rows whose column `rule` has a rule's number go after the rule's days, but no sooner than after `limit`.

    With `values` they are emptied rather than deleted, and each rule remembers how far they are.
    The organisation, `rule` and `moment` are the head of an index.
    """

    rule: Column[Any]

    def shares(self, tx: Transaction, settings: RetentionSettings, now: datetime) -> Sequence[Share]:
        """Return a share for each rule that says how long its requests are kept."""
        shares = (self._share(row, now) for row in rule_retentions(tx))
        return [share for share in shares if share is not None]

    def until(self, settings: RetentionSettings, now: datetime) -> datetime | None:
        """Return None: each rule has a mark of its own."""
        return None

    def conclude(self, tx: Transaction, share: Share) -> None:
        """Note how far the rule's rows are emptied."""
        if share.rule is not None:
            note_emptied(tx, share.rule, share.before)

    def _share(self, row: RuleRetentionRow, now: datetime) -> Share | None:
        least = self.limit if isinstance(self.limit, timedelta) else timedelta(0)
        before = now - max(timedelta(days=row.days), least)
        since = row.emptied_until if self.values is not None else None
        if since is not None and since >= before:
            return None
        return Share(row.organization_id, before, since, (self.rule == row.config_id,), row.config_id)
