"""Back-tests: what a configuration would do with requests that were captured, compared with what was done."""

from router.backtest.difference import CHANGES, Change, Difference, Fate
from router.backtest.examiner import Examiner, is_proof_hidden
from router.backtest.plan import MAX_COUNT, Plan, snapshot_of
from router.backtest.runs import BackTests, new_back_test
from router.backtest.tables import KIND, BackTest, count_open, find_back_test, insert_back_test
from router.backtest.tally import MAX_KEPT, Tally

__all__ = [
    "CHANGES",
    "KIND",
    "MAX_COUNT",
    "MAX_KEPT",
    "BackTest",
    "BackTests",
    "Change",
    "Difference",
    "Examiner",
    "Fate",
    "Plan",
    "Tally",
    "count_open",
    "find_back_test",
    "insert_back_test",
    "is_proof_hidden",
    "new_back_test",
    "snapshot_of",
]
