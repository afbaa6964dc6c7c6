"""How a captured request would be taken if it came now; its rate is not held against it.

A request meets the configuration that it came to, or, if it came to none, those of the organisation it belongs to;
never another organisation's, and none that was made in the place of a deleted one. What proves it is verified anew.
"""

from bpm.errors import Conflict
from bpm.security.permissions import INSTALLATION
from router.decision import Decision, Place, admit, confirm, decide_whole
from router.decision.verdict import CONDITION
from router.fixed_routes import FixedRoutes
from router.paths import is_reserved
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.route_table import RouteTable
from router.rule import Rule
from router.tables.requests import RequestRow

DELETED = "the configuration was deleted, and no other one executes what came to it; have the request sent again"


class Judge:
    """Decides about captured requests by the rule or provider that they belong to now."""

    def __init__(self, table: RouteTable, fixed: FixedRoutes, seal: RequestSeal, max_body_bytes: int) -> None:
        """Take what a request that comes in walks through; `seal` opens what proves its sender."""
        self.seal = seal
        self._table = table
        self._fixed = fixed
        self._limit = max_body_bytes

    def confirm(self, row: RequestRow) -> Decision:
        """Decide by what a request that passed before is executed now; raises `Conflict` when by nothing."""
        if row.provider is not None:
            decision = self.decide(row)
            if decision.verdict.cause == "unknown":
                raise Conflict(f"the provider {row.provider}: is switched off")
            if not decision.verdict.passed:
                raise Conflict(f"the provider {row.provider}: {decision.verdict.detail}")
            return decision
        if row.resent_by is not None:
            return self.admit(self.seal.whole(row), row)
        decision = confirm(self.seal.whole(row), self.own_rule(row))
        if not decision.verdict.passed:
            raise Conflict(f"{decision.verdict.cause}: {decision.verdict.detail}")
        return decision

    def admit(self, call: InboundCall, row: RequestRow) -> Decision:
        """Decide about a request that somebody vouches for, by the rule that `row` came to; raises `Conflict`."""
        return admit(call, self.own_rule(row))

    def decide(self, row: RequestRow) -> Decision:
        """Decide about a request as if it came now; raises `Conflict` when its configuration was deleted."""
        call = self.seal.whole(row)
        place = self._fixed_place(row, call.path) if is_reserved(call.path) else Place(self._rules_of(row, call.path))
        return decide_whole(call, place)

    def own_rule(self, row: RequestRow) -> Rule:
        """Return the rule that a request came to, as it is now; raises `Conflict` when it was deleted."""
        rule = self._table.by_id(row.config_id) if row.config_id is not None else None
        if rule is None or rule.organization_id != row.organization_id:
            raise Conflict(DELETED)
        return rule

    def _rules_of(self, row: RequestRow, path: str) -> list[Rule]:
        """Return the rules at a request's address that it may meet: its own, or all if it was for none of them."""
        rules = [rule for rule in self._table.rules_at(path) if rule.organization_id == row.organization_id]
        if row.config_id is None or row.cause in ("method", CONDITION):
            return rules
        own = self.own_rule(row)
        return [rule for rule in rules if rule.id == own.id]

    def _fixed_place(self, row: RequestRow, path: str) -> Place:
        """Return the provider's routes at a fixed address; none when it is off, or another than the request came to."""
        is_ours = row.organization_id == INSTALLATION and row.config_id is None
        routes = self._fixed.find(path) if is_ours else None
        own = {method: entry for method, entry in (routes or {}).items() if row.provider in (None, entry[0].name)}
        return Place(fixed=own, max_body_bytes=self._limit) if own else Place()
