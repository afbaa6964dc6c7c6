"""Programs made at random from the allowed grammar, really run: none of them reaches anything outside."""

import os
import re
from types import GeneratorType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts import Sandbox
from scripts.shared import policy
from tests.scripts.corpus import Bus

pytestmark = pytest.mark.anyio

CANARY = "canary-of-the-server"
OUTSIDE = re.compile(rf"<module '?\w+'? from|<frame|<code object|<traceback|site-packages|/usr/|{CANARY}")
"""What no script may come to hold, told by how it looks as text."""

MEMBERS = sorted(f"{module}.{member}" for module, members in policy.MODULES.items() for member in members)
KINDS: tuple[type, ...] = (str, bytes, int, float, list, dict, set, tuple, ValueError, GeneratorType)
METHODS = sorted({name for kind in KINDS for name in dir(kind) if not name.startswith("_")} - policy.CLOSED_ATTRIBUTES)
HIDDEN = ["__class__", "__self__", "__globals__", "__dict__", "_wire", "_members", "gi_frame", "obj"]

ATOMS = st.one_of(
    st.sampled_from(
        ["payload", "x", "y", "headers", "1", "'a{0}'", "2.5", "None", "b'b'", "[1, 2]", "{'k': 1}", "{1, 2}"]
    ),
    st.sampled_from(
        [
            *(name for name in policy.BUILTINS if name[0] != "_"),
            *policy.EXCEPTIONS,
            *policy.GUARDED_BUILTINS,
            *policy.CALLS,
        ]
    ),
    st.sampled_from(MEMBERS),
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}({})".format, inner, inner),
        st.builds("{}({}, {})".format, inner, inner, inner),
        st.builds("({}).{}".format, inner, st.sampled_from(METHODS)),
        st.builds("({}).{}({})".format, inner, st.sampled_from(METHODS), inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({}) + ({})".format, inner, inner),
        st.builds("'{{0.{}}}'.format({})".format, st.sampled_from([*METHODS, *HIDDEN]), inner),
        st.builds("getattr({}, {!r}, {})".format, inner, st.sampled_from([*METHODS, *HIDDEN]), inner),
        st.builds("[z for z in ({})]".format, inner),
        st.builds("(lambda z: {})({})".format, inner, inner),
        st.builds("f'{{{}!r}}'".format, st.sampled_from(["x", "y", "payload", "json", "log"])),
    ),
    max_leaves=5,
)
STATEMENTS = st.one_of(
    st.builds("x = {}".format, EXPRESSIONS),
    st.builds("y = {}".format, EXPRESSIONS),
    st.builds("setattr({}, {!r}, {})".format, EXPRESSIONS, st.sampled_from(METHODS), EXPRESSIONS),
    st.builds("for y in {}:\n        x = y".format, EXPRESSIONS),
    st.builds("with {} as y:\n        x = y".format, EXPRESSIONS),
    st.builds("match {}:\n        case [x, *y] | {{'k': x, **y}}:\n            pass".format, EXPRESSIONS),
    st.builds("x.{} = {}".format, st.sampled_from(METHODS), EXPRESSIONS),
    st.builds("x[{}] = {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("raise {}".format, EXPRESSIONS),
)
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=5)


def program(statements: list[str]) -> str:
    """Return a script that goes on after each failure and shows all it holds."""
    steps = [f"try:\n    {step}\nexcept Exception as error:\n    log(repr(error))" for step in statements]
    return "\n".join(
        ["x = y = 1", *steps, "try:\n    result = [repr(x), str(y)]\nexcept Exception:\n    result = None"]
    )


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=SLOW)
@given(PROGRAMS)
async def test_no_program_reaches_outside(sandbox: Sandbox, statements: list[str]) -> None:
    """A program of the allowed grammar ends by itself or at a limit, never at the filter, and holds nothing foreign."""
    os.environ["BPM_TEST_CANARY"] = CANARY
    run = await sandbox.run(program(statements), {"payload": {"n": [1, 2]}}, send=Bus().send)
    assert run.failure is None or run.failure.reason not in ("filter", "syntax", "forbidden"), run.failure
    assert not OUTSIDE.search(f"{run.result} {run.logs} {run.failure}")


async def test_the_sandbox_serves_on_after_all_programs(sandbox: Sandbox) -> None:
    """After programs of any kind an ordinary script finds everything as it was."""
    run = await sandbox.run("result = [json.dumps([1]), str(decimal.Decimal(1) / 3), random.randint(1, 9)]", {}, seed=1)
    again = await sandbox.run(
        "result = [json.dumps([1]), str(decimal.Decimal(1) / 3), random.randint(1, 9)]", {}, seed=1
    )
    assert run.failure is None
    assert run.result == again.result
