"""Recorded runs of scripts go when they are old, those of a rule with the rule's requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bpm.settings import RetentionSettings
from bpm.store import Transaction
from bpm.store.retention import Policy, Share
from commands.code.tables import RUNS, rules_with_runs
from router.tables.rule_retention import rule_retentions


@dataclass(frozen=True, slots=True)
class RunsOfRules(Policy):
    """Runs go after the days of the rule whose script was run."""

    def shares(self, tx: Transaction, settings: RetentionSettings, now: datetime) -> Sequence[Share]:
        """Return a share for each revision of a rule that has runs, where the rule says how long they are kept."""
        days = {str(row.config_id): row.days for row in rule_retentions(tx)}
        shares: list[Share] = []
        for organization_id in self.organizations(tx) if days else ():
            for rule in rules_with_runs(tx, organization_id):
                kept = days.get(rule.partition(":")[0])
                if kept is not None:
                    before = now - timedelta(days=kept)
                    shares.append(Share(organization_id, before, where=(RUNS.c.rule == rule,)))
        return shares


POLICIES = (
    RunsOfRules("runs of scripts by their rule", timedelta(0), table=RUNS, key=RUNS.c.id, moment=RUNS.c.created_at),
    Policy("runs of scripts", "results_days", table=RUNS, key=RUNS.c.id, moment=RUNS.c.created_at),
)
