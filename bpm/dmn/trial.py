"""A decision tried with values: its result, and which rules of its table match."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bpm.dmn.decision_table import DecisionRule, Scope, Table
from bpm.dmn.evaluate import Decision, DecisionService, DecisionTable, Evaluation, decide, run_bounded
from bpm.dmn.failures import DecisionFailed
from bpm.expressions import EvaluationError, Evaluator
from bpm.metering import Meter, OverBudget


@dataclass(frozen=True, slots=True)
class DecisionTrial:
    """What a decision came to.

    `matched` are the numbers, from 1, of the rules of its table that match, also of those behind the one that FIRST
    takes; none where it is no table. `failure` says why there is no result, and is None where there is one.
    """

    matched: list[int]
    result: Any
    failure: str | None


def try_decision(decision: Decision, variables: Mapping[str, Any], now: Any) -> DecisionTrial:
    """Evaluate a decision once, at the time `now`, and note which rules of its table match."""
    matched: list[int] = []
    try:
        if isinstance(decision, DecisionService) or not isinstance(table := decision.logic, Table):
            return DecisionTrial([], decide(decision, variables, now), None)
        run = _noting(decision, table, now, matched)
        return DecisionTrial(matched, run_bounded(run, variables, now), None)
    except DecisionFailed as error:
        return DecisionTrial(matched, None, str(error))


def _noting(decision: DecisionTable, table: Table, now: Any, matched: list[int]) -> Evaluator:
    def noted(scope: Scope, meter: Meter) -> Iterator[DecisionRule]:
        for number, rule in table.matching(scope, meter):
            matched.append(number)
            yield rule

    def run(scope: Mapping[str, Any], meter: Meter) -> Any:
        evaluation = Evaluation(meter, now)
        seen = evaluation.scope(decision, evaluation.read(decision, scope))
        rules = noted(seen, meter)
        try:
            return evaluation.result(decision, table.outcome(rules, seen, meter))
        finally:
            with suppress(EvaluationError, OverBudget):  # what the result does not need can't make it fail
                deque(rules, maxlen=0)

    return run
