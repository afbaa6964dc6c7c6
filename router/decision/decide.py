"""`decide`: one judgement of a request, for live traffic, providers, dry runs, replays and back-tests.

    known -> HEAD -> handshake -> condition
          -> enabled -> method -> address -> size -> signature -> form -> rate -> duplicate

It reads no socket, clock or store. It is a generator, because a body may still be on its way: it yields how many bytes
the body may have and is sent the body, or None for a larger one. It yields what is to be done with the body, too, and
is sent what that returns: with a large one it is not done where others wait. `decide_whole` does both for a request
that is whole.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bpm.edge.answer import Answer
from bpm.errors import Malformed
from bpm.metering import budget
from bpm.security.permissions import INSTALLATION
from router.decision.checks import check_head, check_signature, check_whole, may_greet
from router.decision.choice import choose, first_look, is_asked
from router.decision.decision import NO_LOOKUPS, Decision, Lookups
from router.decision.verdict import (
    EXPIRED,
    PASSED,
    SIGNATURE,
    Verdict,
    address_refused,
    method_refused,
    too_large,
    unknown,
    unwanted,
)
from router.fixed_routes import Entry
from router.paths import values_at
from router.providers import Call, FixedRoute, Provider, Refusal
from router.request import InboundCall
from router.rule import Rule
from router.source import STRANGER, Source

DUPLICATE = "duplicate"
"""The cause of a request whose id another one had."""
HERE = Answer(200, has_length=False)
"""What HEAD is told where GET is answered."""
ASKED = Verdict("head", "HEAD asks whether GET is answered here; nothing is executed")
HANDSHAKE = "handshake"
"""The cause of a provider's question: it is answered, and nothing is executed."""

QUESTION = Verdict(HANDSHAKE, "a provider's question is answered; nothing is executed")

GREETING_STEPS = 60_000
"""Steps of all handshakes at an address, as many as those of one may take: anybody may ask."""

FIRST_ERROR = 400
"""The lowest status by which a question is refused."""

SWITCHED_OFF = ("disabled", EXPIRED)

Work = Callable[[], Any]
"""Something to be done with the body; it raises nothing."""

Deciding = Generator[int | Work, Any, Decision]
"""A decision that may still wait for the body, or for work on it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at an address: the configurations there in their order, or a provider's routes by method.

    A provider's question is heard by the rules of `hearing`, unless there are none by `rules`. `max_body_bytes` bounds
    what a provider's routes are sent.
    """

    rules: Sequence[Rule] = ()
    hearing: Sequence[Rule] = ()
    fixed: Mapping[str, Entry] | None = None
    max_body_bytes: int = 0

    @property
    def organization_id(self) -> int:
        """Whose address it is: of a provider's, and of one where nobody answers, the installation's."""
        return self.rules[0].organization_id if self.rules else INSTALLATION


def decide_whole(call: InboundCall, place: Place, lookups: Lookups = NO_LOOKUPS) -> Decision:
    """Decide about a request whose body is known."""
    deciding = decide(call, place, lookups)
    body = call.body
    try:
        asked = next(deciding)
        while True:
            if isinstance(asked, int):
                asked = deciding.send(body if len(body) <= asked else None)
            else:
                asked = deciding.send(asked())
    except StopIteration as decided:
        return decided.value


def decide(call: InboundCall, place: Place, lookups: Lookups = NO_LOOKUPS) -> Deciding:
    """Decide about a request at a place; `call.body` is what was sent from the first time it was asked for."""
    if place.fixed is not None:
        return (yield from _decide_fixed(call, place.fixed, place.max_body_bytes, lookups))
    if not place.rules:
        return Decision(STRANGER, unknown(call.path))
    if call.method == "HEAD" and any("GET" in rule.methods for rule in place.rules):
        return _decide_head(call, place.rules)
    greeting = yield from _greet(call, place.hearing or place.rules)
    if greeting is not None:
        return greeting
    takers = [rule for rule in place.rules if call.method in rule.methods]
    if is_asked(takers):
        return (yield from _decide_by_condition(call, takers, lookups))
    return (yield from _decide_for_rule(call, _choose(call, place.rules), lookups))


def decide_for(rule: Rule, others: Sequence[Rule], call: InboundCall, lookups: Lookups = NO_LOOKUPS) -> Decision:
    """Decide about a request as `rule`, which may be a draft, meets it among the `others` at its address."""
    is_here = values_at(rule.path, call.path) is not None
    here = sorted([rule, *others], key=lambda each: each.place) if is_here else [rule]
    takers = [each for each in here if call.method in each.methods]
    decision = decide_whole(call, Place(takers if rule in takers else [rule], here), lookups)
    if decision.rule is None or decision.rule is rule:
        return decision
    return Decision(Source.of(rule), unwanted(f"the configuration {decision.rule.key!r} takes it"), rule)


def confirm(call: InboundCall, rule: Rule) -> Decision:
    """Decide about a request that passed before: what proves its sender is asked again, nothing else."""
    call.read_as(rule.fields.content_type)
    verdict = check_signature(rule, call)
    return _passed(call, rule) if verdict.passed else Decision(Source.of(rule), verdict, rule)


def admit(call: InboundCall, rule: Rule) -> Decision:
    """Decide about a request that somebody vouches for: nothing has to prove it, and it repeats no other one."""
    call.read_as(rule.fields.content_type)
    return replace(_passed(call, rule), answer=None, delivery_id=None)


def _decide_head(call: InboundCall, rules: Sequence[Rule]) -> Decision:
    """Tell whether the rule of GET answers here and this address; nothing is verified, executed or kept."""
    asked = replace(call, method="GET")
    rule, verdict = _choose(asked, [rule for rule in rules if check_head(rule, asked).passed] or rules)
    if verdict.passed and rule.broken is not None:
        verdict = check_whole(rule, asked)
    if verdict.passed:
        return Decision(Source.of(rule), ASKED, rule, spoken=HERE)
    return Decision(Source.of(rule), verdict, rule, is_kept=False)


def _greet(call: InboundCall, rules: Sequence[Rule]) -> Generator[int | Work, Any, Decision | None]:
    """Answer a provider's question to the rule that takes the request; what is none is judged as every request."""
    is_taken = any(call.method in rule.methods for rule in rules)
    hearing = [rule for rule in rules if may_greet(rule, call, is_taken=is_taken)]
    if not hearing:
        return None
    limit = max(rule.max_body_bytes for rule in hearing)
    body = yield limit
    if body is None:
        return None
    call.take(body, limit)
    return (yield partial(_greeting, call, hearing))


def _greeting(call: InboundCall, rules: Sequence[Rule]) -> Decision | None:
    """Answer a provider's question by the first rule that grants it; None for what is none or can't be read.

    What each rule refuses, as another's verify token, the first refuses.
    """
    refused: Decision | None = None
    with budget(GREETING_STEPS):
        for rule in rules:
            try:
                answer = rule.greeting(call) if len(call.body) <= rule.max_body_bytes else None
            except ValueError:
                return None
            if answer is None:
                continue
            decision = Decision(Source.of(rule), QUESTION, rule, spoken=answer)
            if answer.status < FIRST_ERROR:
                return decision
            refused = refused or decision
    return refused


def _choose(call: InboundCall, rules: Sequence[Rule]) -> tuple[Rule, Verdict]:
    """Return which of the rules at an address a request is for, and the verdict before its body is read."""
    for rule in rules:
        if call.method in rule.methods:
            return rule, check_head(rule, call)
    active = [rule for rule in rules if rule.answers_at(call.received_at)]
    if active:
        return active[0], method_refused(call.method, [method for rule in active for method in rule.methods])
    return rules[0], check_head(rules[0], call)


def _decide_by_condition(call: InboundCall, takers: Sequence[Rule], lookups: Lookups) -> Deciding:
    """Read the body, ask the conditions, and decide for the rule that takes the request."""
    verdict = first_look(takers, call)
    if not verdict.passed:
        return Decision(Source.of(takers[0]), verdict, takers[0])
    limit = max(rule.max_body_bytes for rule in takers)
    body = yield limit
    if body is None:
        return Decision(Source.of(takers[0]), too_large(limit), takers[0])
    call.take(body, limit)
    rule, verdict = yield partial(choose, takers, call)
    if not verdict.passed:
        return Decision(Source.of(rule), verdict, rule)
    return (yield from _decide_for_rule(call, (rule, check_head(rule, call)), lookups))


def _decide_for_rule(call: InboundCall, chosen: tuple[Rule, Verdict], lookups: Lookups) -> Deciding:
    rule, verdict = chosen
    call.read_as(rule.fields.content_type)
    if verdict.cause in SWITCHED_OFF:
        return (yield from _decide_disabled(call, rule, verdict))
    if not verdict.passed:
        return Decision(Source.of(rule), verdict, rule)
    body = yield rule.max_body_bytes
    if body is None:
        return Decision(Source.of(rule), too_large(rule.max_body_bytes), rule)
    call.take(body, rule.max_body_bytes)
    verdict, key = yield partial(_judge, rule, call)
    verdict = lookups.count(rule, call, verdict, key)
    if not verdict.passed:
        return Decision(Source.of(rule), verdict, rule)
    return _unless_repeated(call, (yield partial(_passed, call, rule)), lookups)


def _judge(rule: Rule, call: InboundCall) -> tuple[Verdict, str]:
    """Judge a request with its body; of one that passes, return the key under which it is counted, too."""
    verdict = check_whole(rule, call)
    return verdict, rule.rate_key_of(call) if verdict.passed else ""


def _decide_disabled(call: InboundCall, rule: Rule, verdict: Verdict) -> Deciding:
    """What its provider has signed is not counted as a stranger's, for it will be wanted."""
    body = yield rule.max_body_bytes
    if body is None:
        return Decision(Source.of(rule), verdict, rule)
    call.take(body, rule.max_body_bytes)
    proof = yield partial(check_signature, rule, call)
    return Decision(Source.of(rule), verdict, rule, is_proven=proof.passed)


def _passed(call: InboundCall, rule: Rule) -> Decision:
    answer = rule.prescribed_answer(call) if not rule.sync else None
    delivery_id = rule.delivery_id(call)
    return Decision(Source.of(rule), PASSED, rule, answer=answer, delivery_id=delivery_id, lane=rule.lane_of(call))


def _unless_repeated(call: InboundCall, decision: Decision, lookups: Lookups) -> Decision:
    key = decision.dedupe_key
    first = lookups.first_with(key, call) if key is not None else None
    if first is None:
        return decision
    detail = f"the request {first} had the id {decision.delivery_id}"
    return Decision(decision.source, Verdict(DUPLICATE, detail), decision.rule, delivery_id=decision.delivery_id)


def _decide_fixed(call: InboundCall, routes: Mapping[str, Entry], limit: int, lookups: Lookups) -> Deciding:
    """Decide about a request to a provider's address."""
    is_head = call.method == "HEAD"
    entry = routes.get("GET" if is_head else call.method)
    if entry is None:
        return Decision(STRANGER, method_refused(call.method, routes))
    provider, route = entry
    source = Source.of_provider(provider)
    if provider.addresses is not None and not provider.addresses.allows(call.address):
        return Decision(source, address_refused(call.address), answer=replace(route.refused, status=403))
    if is_head:
        return Decision(source, ASKED, spoken=HERE)
    verdict = lookups.admit(route, call)
    if not verdict.passed:
        return Decision(source, verdict)
    body = yield limit
    if body is None:
        return Decision(source, too_large(limit))
    call.take(body, limit)
    return (yield partial(_receive, call, provider, route))


def _receive(call: InboundCall, provider: Provider, route: FixedRoute) -> Decision:
    source = Source.of_provider(provider)
    try:
        received = Call(call.method, call.headers, call.parameters, call.content, call.address)
    except ValueError as error:
        return Decision(source, Verdict("malformed", str(error), Malformed(str(error))))
    cause = route.verify(received)
    if cause is not None:
        return Decision(source, Verdict(SIGNATURE, cause), answer=route.refused)
    try:
        reception = route.read(received)
    except Refusal as refusal:
        return Decision(source, Verdict("malformed", refusal.cause), answer=refusal.answer)
    return Decision(source, answer=reception.answer, delivery_id=reception.dedupe_key)
