"""What engineers write comes to the same in the sandbox as in plain Python."""

import copy
from typing import Any

import pytest

from scripts import Sandbox
from tests.scripts.corpus import sections_of
from tests.scripts.plain import run_plainly

pytestmark = pytest.mark.anyio

PAYLOAD: dict[str, Any] = {
    "id": "ord_1042",
    "currency": "EUR",
    "customer": {"name": "Ada Byron", "email": "Ada@Example.COM ", "vip": True},
    "lines": [
        {"sku": "A-1", "qty": 2, "price": "19.90", "tags": ["new"]},
        {"sku": "B-7", "qty": 1, "price": "5.05", "tags": []},
        {"sku": "A-1", "qty": 3, "price": "19.90", "tags": ["sale", "new"]},
    ],
    "created_at": "2026-03-14T09:26:53Z",
    "note": None,
}

SCRIPTS = {section.name: section.code for section in sections_of("ordinary.txt")}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_script_comes_to_the_same_as_in_plain_python(sandbox: Sandbox, name: str) -> None:
    """Result and log of an ordinary script are those of plain Python, and saving it brings no remark."""
    result, lines = run_plainly(SCRIPTS[name], copy.deepcopy(PAYLOAD), seed=1)
    check = await sandbox.check(SCRIPTS[name])
    run = await sandbox.run(SCRIPTS[name], {"payload": PAYLOAD}, seed=1)
    assert (check.problems, check.warnings) == ([], [])
    assert (run.failure, run.result, run.logs) == (None, result, lines)
