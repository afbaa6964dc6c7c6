"""Saving a script tells everything that is wrong with it, and where."""

import sys

import pytest

from scripts import Problem, Sandbox

pytestmark = pytest.mark.anyio


async def test_all_problems_are_found_in_their_order(sandbox: Sandbox) -> None:
    """A check does not stop at the first refusal; each has a place of its own."""
    code = "a = x.__class__\nb = eval('1')\nclass C:\n    def __del__(self):\n        pass\nasync def f():\n    pass\n"
    check = await sandbox.check(code)
    assert [(problem.line, problem.column) for problem in check.problems] == [(1, 5), (2, 5), (4, 5), (6, 1)]
    assert {problem.code for problem in check.problems} == {"forbidden"}


async def test_places_are_counted_in_characters(sandbox: Sandbox) -> None:
    """Columns begin at 1 and count what an editor counts, also behind letters of several bytes."""
    check = await sandbox.check("a = 'äöü'; b = a._x\n")
    assert check.problems == [
        Problem(1, 16, 1, 20, "forbidden", 'The attribute "_x" is closed in scripts: names must not begin with "_".')
    ]


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ("x = (", 1, 5),
        ("x = 1\n  y = 2", 2, 1),
        ("break", 1, 1),
        ("class A:\n    return 1", 2, 5),
        ("def f(a, a):\n    pass", 1, 1),
        ("nonlocal x", 1, 1),
        ("yield 1", 1, 1),
        ("x = '\x00'", 1, 1),
        ("x = '\ud800'", 1, 1),
        ("\ufeff\x0cx = = 1", 1, 1),
    ],
)
async def test_what_is_not_python_is_a_syntax_problem(sandbox: Sandbox, code: str, line: int, column: int) -> None:
    """A source that Python cannot compile has a problem on its line, and running it fails alike."""
    check = await sandbox.check(code)
    run = await sandbox.run(code, {})
    assert check.problems[0].code in ("syntax", "forbidden")
    assert check.problems[0].line == line
    assert check.problems[0].column >= column
    assert check.problems[0].end_line >= line
    assert run.failure is not None
    assert run.failure.reason in ("syntax", "forbidden")


@pytest.mark.parametrize(
    ("since", "code"),
    [
        ((3, 12), "def f[T](x):\n    return x"),
        ((3, 12), "class C[T]:\n    pass"),
        ((3, 12), "type Pair = tuple"),
        ((3, 13), "def f[T = int](x):\n    return x"),
        ((3, 14), "result = t'{payload}'"),
        ((3, 14), "try:\n    1 / 0\nexcept ValueError, ZeroDivisionError:\n    pass"),
    ],
)
async def test_scripts_have_one_grammar_on_every_python(sandbox: Sandbox, since: tuple[int, int], code: str) -> None:
    """What only newer versions can read is refused there as well, with the version that scripts are written in."""
    problem = (await sandbox.check(code)).problems[0]
    assert problem.code == "syntax"
    assert ("scripts are written in Python 3.11" in problem.message) == (sys.version_info >= since)


@pytest.mark.parametrize(
    ("code", "warning", "words"),
    [
        ("result = paylod", "unknown_name", "did you mean payload?"),
        ("import os\nresult = 1", "unknown_module", "os"),
        ("from json import load\nresult = 1", "unknown_name", "load"),
        ("from os import path\nresult = 1", "unknown_module", "os"),
        ("def f():\n    return 1\nf()", "no_result", "never sets result"),
        ("", "no_result", "never sets result"),
    ],
)
async def test_what_looks_wrong_is_a_warning(sandbox: Sandbox, code: str, warning: str, words: str) -> None:
    """Unknown names, modules that are not there and a missing result are said, and the script may be saved."""
    check = await sandbox.check(code)
    assert check.problems == []
    assert [found.code for found in check.warnings] == [warning]
    assert words in check.warnings[0].message


@pytest.mark.parametrize("code", ["return 1", "result = 1", "reply(200)", "for x in payload:\n    result = x"])
async def test_a_script_that_answers_has_no_warning(sandbox: Sandbox, code: str) -> None:
    """A result may be returned, assigned or given as a reply."""
    assert (await sandbox.check(code)).warnings == []


async def test_a_source_that_bombs_the_compiler_is_a_problem(sandbox: Sandbox) -> None:
    """Sources made to exhaust the compiler end as problems, and the sandbox goes on."""
    for code in ("(" * 150 + "1" + ",)" * 150, "x" + ".y" * 20_000, "x = " + "lambda: " * 5_000 + "1", "[" * 60_000):
        check = await sandbox.check(code)
        assert check.problems
    assert (await sandbox.check("result = 1")).problems == []


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ("x = 1\ny = 'äö' + x", 2, 5),
        ("def f():\n    return payload['a']\nlog(f())", 2, 12),
        ("result = [1, 2][\n    5]", 1, 10),
        ("class A:\n    pass\nA().b", 3, 1),
        ("d = {}\nd['x'] += 1", 2, 1),
    ],
)
async def test_an_error_has_the_line_and_column_of_the_script(
    sandbox: Sandbox, code: str, line: int, column: int
) -> None:
    """A failure names the innermost place in the user's own source."""
    run = await sandbox.run(code, {"payload": {}})
    assert run.failure is not None
    assert (run.failure.reason, run.failure.line, run.failure.column) == ("error", line, column)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("result = {'a': [log]}", "result['a'][0] is a function, which JSON cannot hold"),
        ("result = b'x'", "decode it or use base64"),
        ("result = (x for x in [1])", "wrap it in list(...)"),
        ("result = float('nan')", "result is nan"),
        ("result = 1 << 10_000", "return it as text"),
        ("result = '\\ud800'", "surrogate"),
        ("result = {(1, 2): 3}", "a key that is a value of type tuple"),
        ("a = []\na.append(a)\nresult = a", "contains itself"),
        ("variables = 5", "variables must be a dictionary"),
        ("variables['x'] = log", "variables['x'] is a function"),
        ("class E(Exception):\n    def __str__(self):\n        return 1 / 0\nraise E()", "E"),
    ],
)
async def test_what_cannot_be_returned_is_named(sandbox: Sandbox, code: str, words: str) -> None:
    """A result that JSON cannot hold is an error that says where and what."""
    run = await sandbox.run(code, {})
    assert run.failure is not None
    assert words in run.failure.message
