"""A decision that is tried: evaluated once, with the rules of its table that match."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.dmn import DecisionTable, DecisionTrial, load_decisions, try_decision
from bpm.dmn.decision_table import DecisionRule, Input, Output, Table
from bpm.expressions.kinds import ANY
from bpm.metering import Meter

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
FILE = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="f" name="f" namespace="x">
<decision id="d" name="d"><variable name="d"/><decisionTable hitPolicy="{policy}">
<input><inputExpression><text>n</text></inputExpression></input><output name="out" typeRef="number"/>
<rule><inputEntry><text>&lt; 10</text></inputEntry><outputEntry><text>{first}</text></outputEntry></rule>
<rule><inputEntry><text>{second}</text></inputEntry><outputEntry><text>2</text></outputEntry></rule>
</decisionTable></decision></definitions>"""

WRONG = "date(&quot;2026-01-01&quot;)"
LONG = "count(for i in 1..9999999 return i) &gt; 0"


def tried(policy: str = "FIRST", first: str = "1.50", second: str = "&gt; 5", **variables: Any) -> DecisionTrial:
    """Try the table with values."""
    return try_decision(load_decisions(FILE.format(policy=policy, first=first, second=second))["d"], variables, NOON)


@pytest.mark.parametrize(
    ("trial", "matched", "result", "failure"),
    [
        (tried(n=3), [1], "1.50", None),
        (tried(n=7), [1, 2], "1.50", None),
        (tried(n=70), [2], "2", None),
        (tried("UNIQUE", n=7), [1, 2], "None", "2 rules match"),
        (tried(first=WRONG, n=7), [1, 2], "None", "the output 'out'"),
        (tried(second=LONG, n=7), [1], "1.50", None),
        (tried("COLLECT", second=LONG, n=7), [1], "None", "steps"),
    ],
)
def test_rules_that_match_are_told(trial: DecisionTrial, matched: list[int], result: str, failure: str | None) -> None:
    """Also behind the one that FIRST takes, and where the result fails; one that FIRST does not need can't fail it."""
    assert (trial.matched, str(trial.result)) == (matched, result)
    assert (trial.failure is None) == (failure is None)
    assert failure is None or failure in (trial.failure or "")


@pytest.mark.parametrize("policy", ["FIRST", "COLLECT"])
def test_it_is_evaluated_once(policy: str) -> None:
    """What a column looks at, each test and each output."""
    calls: list[str] = []

    def counted(name: str, value: Any) -> Any:
        def evaluate(scope: Mapping[str, Any], meter: Meter) -> Any:
            calls.append(name)
            return value

        return evaluate

    table = Table(
        (Input(counted("input", 1), ANY, "i"),),
        (Output("out", ANY, ()),),
        (DecisionRule((counted("test", True),), (counted("output", 2),)),),
        policy,
    )
    trial = try_decision(DecisionTable("d", "d", "d", table), {}, NOON)
    assert (trial.matched, calls) == ([1], ["input", "test", "output"])
