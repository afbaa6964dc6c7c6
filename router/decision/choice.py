"""Which of the rules at an address takes a request: the first whose condition holds, or else the one without."""

from collections.abc import Mapping, Sequence
from typing import Any

from bpm.errors import TooCostly
from bpm.expressions import TooManySteps
from bpm.metering import budget
from router.decision.checks import check_form, check_head
from router.decision.verdict import ADDRESS, CONDITION, PASSED, Verdict, unwanted
from router.request import InboundCall
from router.request_secrets import RequestSecrets
from router.rule import Rule

MAX_STEPS = 20_000
"""Steps of all conditions at an address: they are asked before a signature is, so by strangers, too."""


class SharedScopes:
    """What conditions see of a request, read once for all rules that read and hide alike."""

    def __init__(self, call: InboundCall) -> None:
        """Take the request with its body."""
        self._call = call
        self._known: dict[tuple[str | None, RequestSecrets], Mapping[str, Any] | None] = {}

    def of(self, rule: Rule) -> Mapping[str, Any] | None:
        """Return what a rule sees of the request; None when the body can't be read."""
        key = (rule.fields.content_type, rule.confidential)
        if key not in self._known:
            self._known[key] = self._read(rule)
        scope = self._known[key]
        return scope and {**scope, "path": rule.path_values(self._call.path)}

    def _read(self, rule: Rule) -> Mapping[str, Any] | None:
        try:
            return rule.scope(self._call)
        except ValueError:
            return None


def is_asked(takers: Sequence[Rule]) -> bool:
    """Tell whether conditions decide between the rules that take a request's method."""
    return bool(takers) and takers[0].condition is not None


def first_look(takers: Sequence[Rule], call: InboundCall) -> Verdict:
    """Judge a request before its body is read: refuse one from an address that no rule allows."""
    verdicts = [check_head(rule, call) for rule in takers]
    return verdicts[0] if all(verdict.cause == ADDRESS for verdict in verdicts) else PASSED


def choose(takers: Sequence[Rule], call: InboundCall) -> tuple[Rule, Verdict]:
    """Return the rule that takes a request, and the verdict of the conditions.

    What no condition wants because its body can't be read is refused as that.

    A rule that is switched off or has expired is asked as well: what it would take is not another's.
    """
    scopes = SharedScopes(call)
    with budget(MAX_STEPS):
        for rule in takers:
            if rule.condition is None:
                return rule, PASSED
            scope = scopes.of(rule)
            try:
                if scope is not None and rule.wants(scope):
                    return rule, PASSED
            except TooManySteps as error:
                sentence = f"when: {error}"
                return rule, Verdict(CONDITION, sentence, TooCostly("The request takes too much work to be judged"))
    form = check_form(call)
    if not form.passed:
        return takers[0], form
    detail = f"no condition of the configurations here holds: {', '.join(rule.key or 'the draft' for rule in takers)}"
    return takers[0], unwanted(detail)
