"""How a captured request would be taken if it came now; its rate and size are not held against it."""

from dataclasses import dataclass
from typing import Any

from bpm.errors import Conflict
from bpm.jobs import Lane
from router.answers import Answers
from router.fixed import FixedRoutes
from router.guard import PASSED, Guard, Verdict, address_refused, method_refused, unknown
from router.inbox import Source
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
            if call.method not in (self._fixed.find(call.path) or {}):
                raise Conflict(f"the provider {row.provider} is switched off")
            return Judgement()
        rule = self._table.by_id(row.config_id) if row.config_id is not None else None
        if rule is not None:
            return Judgement(dedupe_key=_key(rule, call), lane=rule.lane_of(call))
        rule = self._routed(call)
        if rule is None:
            raise Conflict(f"the configuration was deleted, and no other one answers {call.method} /{call.path}")
        return Judgement(source=Source.of(rule), dedupe_key=_key(rule, call), lane=rule.lane_of(call))

    def anew(self, row: Any) -> Judgement:
        """Judge a request that was refused."""
        call = self.seal.whole(row)
        if self._fixed.find(call.path) is not None:
            return self._by_provider(call)
        node = self._table.find(call.path)
        if node is None:
            return Judgement(unknown(call.path))
        rules = [self._table.rule(slot) for slot in node.slots.values()]
        rule, verdict = self._guard.choose(rules, call)
        if verdict.passed:
            verdict = self._guard.after_body(rule, call)
        if not verdict.passed:
            return Judgement(verdict, Source.of(rule))
        key = _key(rule, call)
        answer = self._answers.prescribed(call, rule) if key is not None else None
        return Judgement(PASSED, Source.of(rule), key, answer, rule.lane_of(call))

    def _by_provider(self, call: InboundCall) -> Judgement:
        routes = self._fixed.find(call.path) or {}
        if call.method not in routes:
            return Judgement(method_refused(call.method, list(routes)))
        provider, route = routes[call.method]
        source = Source.of_provider(provider)
        if provider.addresses is not None and not provider.addresses.allows(call.address):
            return Judgement(address_refused(call.address), source)
        try:
            received = Call(call.method, call.headers, call.query, call.body, call.address)
            cause = route.verify(received)
            if cause is not None:
                return Judgement(Verdict("signature", cause), source)
            reception = route.read(received)
        except Refusal as refusal:
            return Judgement(Verdict("malformed", refusal.cause), source)
        except ValueError as error:
            return Judgement(Verdict("malformed", str(error)), source)
        return Judgement(PASSED, source, source.dedupe_key(reception.dedupe_key), reception.answer)

    def _routed(self, call: InboundCall) -> Rule | None:
        node = self._table.find(call.path)
        slot = node.slots.get(call.method) if node is not None else None
        return self._table.rule(slot) if slot is not None else None


def _key(rule: Rule, call: InboundCall) -> str | None:
    if rule.dedupe is None:
        return None
    return Source.of(rule).dedupe_key(rule.dedupe(call.headers, call.query, lambda: call.payload.value))
