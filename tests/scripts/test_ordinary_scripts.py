"""Ordinary scripts work as ordinary Python does."""

from typing import Any

import pytest

from scripts import Isolation, Sandbox
from tests.scripts.corpus import MOMENT, Bus, inputs_of, scripts_of

pytestmark = pytest.mark.anyio

SCRIPTS = scripts_of("benign_scripts.json")


@pytest.mark.parametrize("isolation", ["run", "rule"])
@pytest.mark.parametrize("script", SCRIPTS, ids=[script["name"] for script in SCRIPTS])
async def test_a_script_of_the_corpus_ends_as_expected(
    sandbox: Sandbox, script: dict[str, Any], isolation: Isolation
) -> None:
    """Every ordinary script compiles without remark and gives its result, log lines and commands."""
    bus = Bus()
    check = await sandbox.check(script["code"])
    run = await sandbox.run(script["code"], inputs_of(script), send=bus.send, isolation=isolation, seed=1, now=MOMENT)
    assert (check.problems, check.warnings) == ([], [])
    assert run.failure is None
    assert run.result == script["expected"]
    assert run.logs == script.get("logs", run.logs)
    assert bus.sent == script.get("sends", [])


DIALECT = {
    "an item of an item": ("d = {'a': [1, 2]}\nd['a'][0] += 5\nresult = d", {"a": [6, 2]}),
    "a slice": ("x = [1, 2, 3]\nx[1:] += [4]\nresult = x", [1, 2, 3, 4]),
    "an owner that is evaluated once": (
        "calls = []\ndef owner():\n    calls.append(1)\n    return d\nd = {'n': 1}\nowner()['n'] += 1\n"
        "result = [d['n'], len(calls)]",
        [2, 1],
    ),
    "an attribute": (
        "class A:\n    def __init__(self):\n        self.n = 1\n    def more(self):\n        self.n += 1\n"
        "a = A()\na.more()\na.n *= 5\nresult = a.n",
        10,
    ),
    "a class attribute": ("class A:\n    n = 1\nA.n += 1\nresult = A.n", 2),
    "annotations": (
        "def f(x: 'no such type', *, y: open = 2) -> nothing:\n    z: eval('1') = x\n    w: int\n    return z + y\n"
        "total: int = f(1)\nresult = total",
        3,
    ),
    "super": (
        "class A:\n    def __init__(self, n):\n        self.n = n\n    def name(self):\n        return 'A'\n"
        "class B(A):\n    def __init__(self):\n        super().__init__(7)\n    def name(self):\n"
        "        return super().name() + 'B'\nb = B()\nresult = [b.n, b.name()]",
        [7, "AB"],
    ),
    "special methods": (
        "class V:\n    def __init__(self, n):\n        self.n = n\n    def __add__(self, other):\n"
        "        return V(self.n + other.n)\n    def __str__(self):\n        return f'V{self.n}'\n"
        "    def __len__(self):\n        return self.n\nv = V(1) + V(2)\nresult = [str(v), len(v)]",
        ["V3", 3],
    ),
    "with": (
        "class C:\n    def __enter__(self):\n        log('in')\n        return self\n"
        "    def __exit__(self, *error):\n        log('out')\n        return True\n"
        "with C():\n    1 / 0\nresult = 'went on'",
        "went on",
    ),
    "nonlocal": (
        "def counter():\n    n = 0\n    def more():\n        nonlocal n\n        n += 1\n        return n\n"
        "    return more\nc = counter()\nc()\nresult = c()",
        2,
    ),
    "global": ("n = 1\ndef f():\n    global n\n    n += 1\nf()\nresult = n", 2),
    "recursion": ("def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nresult = f(10)", 3628800),
    "walrus": ("result = [y for x in [1, 2, 3] if (y := x * 2) > 2] + [y]", [4, 6, 6]),
    "the name of a class of errors": (
        "try:\n    1 / 0\nexcept Exception as e:\n    return type(e).__name__",
        "ZeroDivisionError",
    ),
    "a return without a value": ("result = 5\nif result:\n    return\nresult = 6", 5),
    "return through finally": ("for i in range(3):\n    try:\n        return i\n    finally:\n        log(i)",  0),
    "future annotations": ("from __future__ import annotations\nresult = 1", 1),
    "a module under another name": (
        "import urllib.parse as p\nfrom math import floor as f\nresult = [p.quote(' '), f(2.5)]",
        ["%20", 2],
    ),
    "a module without an import": ("result = [math.floor(2.5), json.dumps([1])]", [2, "[1]"]),
    "time zones": (
        "from zoneinfo import ZoneInfo\nfrom datetime import datetime\n"
        "d = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo('Africa/Lagos'))\n"
        "result = [d.isoformat(), d.astimezone(ZoneInfo('America/New_York')).hour]",
        ["2026-07-01T12:00:00+01:00", 7],
    ),
    "typing": (
        "from typing import Any, Optional, cast\nx: Optional[dict[str, Any]] = None\nresult = cast(int, 5)",
        5,
    ),
    "decimal contexts": (
        "import decimal\ndecimal.getcontext().prec = 4\na = decimal.Decimal(1) / 3\n"
        "with decimal.localcontext() as c:\n    c.prec = 2\n    b = decimal.Decimal(1) / 3\nresult = [a, b]",
        ["0.3333", "0.33"],
    ),
    "format with lookups": ("result = '{0[a]:>3} {b.year}'.format({'a': 1}, b=now())", "  1 2026"),
    "a class that derives from dict": (
        "class D(dict):\n    def total(self):\n        return sum(self.values())\nresult = D(a=1, b=2).total()",
        3,
    ),
    "items of nested tuples": ("result = [a + b + c for a, (b, c) in [(1, (2, 3))]]", [6]),
    "starred calls": ("def f(*a, **k):\n    return [list(a), k]\nresult = f(*[1, 2], **{'x': 3})", [[1, 2], {"x": 3}]),
    "integers beyond 64 bits": ("result = payload + 1", 2**80 + 1),
    "integers beyond floats": ("result = 10 ** 1000", 10**1000),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECT)
async def test_ordinary_python_works(sandbox: Sandbox, name: str) -> None:
    """What RestrictedPython alone refuses or changes behaves as in Python."""
    code, expected = DIALECT[name]
    run = await sandbox.run(code, {"payload": 2**80}, now=MOMENT, seed=1)
    assert (run.failure, run.result) == (None, expected)


async def test_inputs_have_their_names_and_defaults(sandbox: Sandbox) -> None:
    """A script sees every input by name, empty where the caller gave none."""
    code = "result = [payload, headers, query, path, method, request_id, variables]"
    run = await sandbox.run(code, {"path": "/hook", "request_id": "r1"})
    assert run.result == [None, {}, {}, "/hook", "", "r1", {}]
    assert run.variables is None


async def test_variables_come_back_as_the_script_left_them(sandbox: Sandbox) -> None:
    """A script task may change its variables in place or put others in their stead."""
    changed = await sandbox.run("variables['n'] += 1\ndel variables['old']", {"variables": {"n": 1, "old": 0}})
    replaced = await sandbox.run("variables = {'fresh': True}", {"variables": {"n": 1}})
    assert (changed.variables, replaced.variables) == ({"n": 2}, {"fresh": True})


async def test_a_reply_carries_status_body_and_headers(sandbox: Sandbox) -> None:
    """The last reply of a script is its reply, apart from its result."""
    run = await sandbox.run("reply(200)\nreply(201, {'id': 7}, {'X-Made': 'yes'})\nresult = 1", {})
    assert run.reply is not None
    assert (run.reply.status, run.reply.body, run.reply.headers) == (201, {"id": 7}, {"X-Made": "yes"})
    assert run.result == 1


@pytest.mark.parametrize(
    "call", ["reply(99)", "reply('200')", "reply(200, '', {'A': 'x\\r\\nB: y'})", "reply(200, '', {'A b': ''})"]
)
async def test_a_reply_that_http_cannot_carry_is_an_error(sandbox: Sandbox, call: str) -> None:
    """Statuses out of range and headers that would split a message fail in the script."""
    run = await sandbox.run(call, {})
    assert run.failure is not None
    assert run.failure.message.startswith("ValueError: reply()")


async def test_a_refused_command_is_an_error_a_script_can_read(sandbox: Sandbox) -> None:
    """CommandError has the code, message and errors of the refusal."""
    code = (
        "try:\n    send('ReserveStock', {'sku': 'B-7'})\n"
        "except CommandError as e:\n    return [e.code, e.message, e.errors]"
    )
    bus = Bus()
    run = await sandbox.run(code, {}, send=bus.send)
    assert run.result == ["out_of_stock", "There is none left.", ["sku: B-7"]]
    assert run.sends == 1


async def test_a_script_without_a_bus_may_not_send(sandbox: Sandbox) -> None:
    """Without a `send` callback a command is refused, not lost."""
    run = await sandbox.run("send('A', {})", {})
    assert run.failure is not None
    assert "may not send" in run.failure.message


async def test_a_run_can_be_replayed(sandbox: Sandbox) -> None:
    """The recorded seed and moment give the same random numbers, identifiers and clock again."""
    code = "import random, uuid\nresult = [random.random(), str(uuid.uuid4()), now().isoformat()]"
    first = await sandbox.run(code, {})
    again = await sandbox.run(code, {}, seed=first.seed, now=first.now)
    other = await sandbox.run(code, {}, now=first.now)
    assert first.result == again.result
    assert first.result[0] != other.result[0]


async def test_a_run_is_measured(sandbox: Sandbox) -> None:
    """CPU time and peak memory of a run are those of its work."""
    run = await sandbox.run("x = 'a' * 30_000_000\nresult = sum(range(2_000_000))", {})
    assert 0.005 < run.cpu_seconds < 0.3
    assert 30_000_000 < run.peak_memory_bytes < 150_000_000
