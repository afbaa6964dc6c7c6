"""Decision tables whose cells are made of FEEL's words: refused when loaded, or decided with a sentence."""

import contextlib
from datetime import UTC, datetime

from hypothesis import strategies as st

from bpm.bpmn import InvalidDefinition
from bpm.dmn import DecisionFailed, decide, load_decisions
from bpm.dmn.decision_table import POLICIES
from bpm.metering import OverBudget
from tests.bpm.dmn.test_decisions import FILE, table
from tests.fuzz.targets.expressions import VALUES, WORDS

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CELLS = st.one_of(
    st.sampled_from(
        ["-", "", "< 5", "[1..9]", "not(1)", '"a","b"', "? > 2", "count(numbers[item > ?]) > 3", "date(x)"]
    ),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join),
)


def fuzz(data: st.DataObject) -> None:
    """Raise when a decision ends in another way."""
    rows = [([data.draw(CELLS)], [data.draw(CELLS)]) for _ in range(data.draw(st.integers(1, 4)))]
    file = FILE.format(table(rows, policy=data.draw(st.sampled_from(POLICIES)), inputs=("x",)))
    with contextlib.suppress(InvalidDefinition, DecisionFailed, OverBudget):
        decide(load_decisions(file)["d"], {**VALUES, "x": data.draw(st.sampled_from([1, "a", None, [1]]))}, NOON)
