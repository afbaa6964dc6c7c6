"""Every expression of `feel.cases` beside this module, and what the standard says that it comes to."""

from pathlib import Path

import pytest

from bpm.exact_json import read_json
from bpm.expressions import compile_expression

LINES = (Path(__file__).parent / "feel.cases").read_text().splitlines()
CASES = [line.rpartition(" => ")[::2] for line in LINES if " => " in line]


@pytest.mark.parametrize(("source", "value"), CASES, ids=[source for source, _ in CASES])
def test_an_expression_has_the_value_that_the_standard_gives_it(source: str, value: str) -> None:
    """To the last digit, and of the same type."""
    found, wanted = compile_expression(f"={source}", "null").evaluate({}), read_json(value)
    assert found == wanted
    assert isinstance(found, bool) == isinstance(wanted, bool)
