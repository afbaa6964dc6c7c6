"""How a captured request would be taken if it came now; its rate and size are not held against it.

A request meets the configuration that it came to, or, if it came to none, those of the organisation it belongs to;
never another organisation's, and none that was made in the place of a deleted one. What proves it is verified anew.
"""

from dataclasses import dataclass
from typing import Any

from bpm.errors import Conflict
from bpm.jobs import Lane
from bpm.security.permissions import INSTALLATION
from router.answers import Answers
from router.fixed import FixedRoutes
from router.guard import PASSED, Guard, Verdict, address_refused, method_refused, unknown
from router.inbox import Source
from router.paths import is_reserved
from router.providers import Answer, Call, Refusal
from router.request import InboundCall
from router.rule import Rule
from router.seal import RequestSeal
from router.table import RouteTable


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, and what a request that passed is stored with; without `source` it stays whose it is."""

    verdict: Verdict = PASSED
    source: Source | None = None
    dedupe_key: str | None = None
    answer: Answer | None = None
    lane: Lane | None = None


DELETED = "the configuration was deleted, and no other one executes what came to it; have the request sent again"


class Judge:
    """Looks for the rule or provider that a captured request belongs to now."""

    def __init__(
        self, table: RouteTable, fixed: FixedRoutes, guard: Guard, answers: Answers, seal: RequestSeal
    ) -> None:
        """Take what a request that comes in walks through; `seal` opens what proves its sender."""
        self.seal = seal
        self._table = table
        self._fixed = fixed
        self._guard = guard
        self._answers = answers

    def as_it_is_now(self, row: Any) -> Judgement:
        """Return by what a request that passed the guard would be executed; raises `Conflict` when by nothing."""
        call = self.seal.whole(row)
        if row.provider is not None:
            judgement = self._by_provider(row, call)
            if judgement is None or not judgement.verdict.passed:
                detail = judgement.verdict.detail if judgement is not None else "is switched off"
                raise Conflict(f"the provider {row.provider}: {detail}")
            return Judgement()
        rule = self._own_rule(row)
        verdict = self._guard.proven(rule, call)
        if not verdict.passed:
            raise Conflict(f"signature: {verdict.detail}")
        return Judgement(dedupe_key=_key(rule, call), lane=rule.lane_of(call))

    def anew(self, row: Any) -> Judgement:
        """Judge a request that was refused; raises `Conflict` when its configuration was deleted."""
        call = self.seal.whole(row)
        if is_reserved(call.path):
            return self._by_provider(row, call) or Judgement(unknown(call.path))
        rules = self._rules_of(row, call)
        if not rules:
            return Judgement(unknown(call.path))
        rule, verdict = self._guard.choose(rules, call)
        if verdict.passed:
            verdict = self._guard.after_body(rule, call)
        if not verdict.passed:
            return Judgement(verdict, Source.of(rule))
        key = _key(rule, call)
        answer = self._answers.prescribed(call, rule) if key is not None else None
        return Judgement(PASSED, Source.of(rule), key, answer, rule.lane_of(call))

    def _own_rule(self, row: Any) -> Rule:
        rule = self._table.by_id(row.config_id) if row.config_id is not None else None
        if rule is None or rule.organization_id != row.organization_id:
            raise Conflict(DELETED)
        return rule

    def _rules_of(self, row: Any, call: InboundCall) -> list[Rule]:
        """Return the rules at a request's address that it may meet: its own, or all if it was for none of them."""
        node = self._table.find(call.path)
        at_address = [self._table.rule(slot) for slot in node.slots.values()] if node is not None else []
        rules = [rule for rule in at_address if rule.organization_id == row.organization_id]
        if row.config_id is None or row.cause == "method":
            return rules
        own = self._own_rule(row)
        return [rule for rule in rules if rule.id == own.id]

    def _by_provider(self, row: Any, call: InboundCall) -> Judgement | None:
        """Judge a request to a fixed address; None when the provider is off, or another than the request came to."""
        routes = self._fixed.find(call.path)
        is_ours = row.organization_id == INSTALLATION and row.config_id is None
        if not routes or not is_ours:
            return None
        if call.method not in routes:
            return Judgement(method_refused(call.method, list(routes)))
        provider, route = routes[call.method]
        if row.provider not in (None, provider.name):
            return None
        source = Source.of_provider(provider)
        if provider.addresses is not None and not provider.addresses.allows(call.address):
            return Judgement(address_refused(call.address), source)
        try:
            received = Call(call.method, call.headers, call.parameters, call.body, call.address)
            cause = route.verify(received)
            if cause is not None:
                return Judgement(Verdict("signature", cause), source)
            reception = route.read(received)
        except Refusal as refusal:
            return Judgement(Verdict("malformed", refusal.cause), source)
        except ValueError as error:
            return Judgement(Verdict("malformed", str(error)), source)
        return Judgement(PASSED, source, source.dedupe_key(reception.dedupe_key), reception.answer)


def _key(rule: Rule, call: InboundCall) -> str | None:
    return Source.of(rule).dedupe_key(rule.delivery_id(call))
