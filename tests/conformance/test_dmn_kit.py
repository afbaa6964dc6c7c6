"""The DMN technology compatibility kit, where there is a copy of it (`DMN_KIT=path/to/TestCases`)."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.dmn_kit import cases, judge

KIT = os.environ.get("DMN_KIT", "")
RIGHT = 3_285
"""Number of the kit's results that are right; the others are refused."""


@pytest.mark.skipif(not KIT, reason="DMN_KIT does not name a copy of the kit")
def test_no_result_of_the_kit_is_wrong() -> None:
    """What is not evaluated is refused by a sentence, and never comes to another value."""
    models: dict[Any, Any] = {}
    judged = [(judge(case, models), case.name) for case in cases(Path(KIT))]
    assert [name for verdict, name in judged if verdict == "wrong"] == []
    assert Counter(verdict for verdict, _ in judged)["right"] >= RIGHT
