"""Nothing of a run reaches another, in both grades of isolation."""

import asyncio
import gc

import pytest

from scripts import Isolation, Limits, Sandbox
from tests.scripts.open_sandboxes import OpenSandbox

pytestmark = pytest.mark.anyio

PID = "import os\nresult = os.getpid()"


async def test_every_run_has_a_process_of_its_own(wall: OpenSandbox) -> None:
    """Grade `run` never uses a process twice."""
    pids = [(await wall.run(PID, {})).result for _ in range(10)]
    assert len(set(pids)) == 10


async def test_a_process_is_reused_for_the_same_rule_only(wall: OpenSandbox) -> None:
    """Grade `rule` keeps a process for one tenant and source, and for no other."""
    one = [(await wall.run(PID, {}, isolation="rule", tenant="1/a/1")).result for _ in range(5)]
    other = (await wall.run(PID, {}, isolation="rule", tenant="1/a/2")).result
    changed = (await wall.run(PID + " ", {}, isolation="rule", tenant="1/a/1")).result
    again = (await wall.run(PID, {}, isolation="rule", tenant="1/a/1")).result
    assert len(set(one)) == 1
    assert len({one[0], other, changed}) == 3
    assert again == one[0]


async def test_a_process_is_retired_after_its_runs(wall: OpenSandbox) -> None:
    """A reused process serves no more runs than allowed."""
    limits = Limits(reuse_runs=3)
    pids = [(await wall.run(PID, {}, isolation="rule", limits=limits)).result for _ in range(6)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3]


async def test_a_process_is_retired_at_its_age(wall: OpenSandbox) -> None:
    """A reused process ends when it is too old, idle or not."""
    limits = Limits(reuse_seconds=0.2)
    first = (await wall.run(PID, {}, isolation="rule", limits=limits)).result
    await asyncio.sleep(0.3)
    second = (await wall.run(PID, {}, isolation="rule", limits=limits)).result
    assert first != second


async def test_runs_of_a_process_leave_nothing_behind(wall: OpenSandbox) -> None:
    """However often a process is used, one timer waits for its age: each held what its run was for, for a minute."""
    await wall.run(PID, {}, isolation="rule")
    before = _waiting()
    for _ in range(20):
        await wall.run(PID, {}, isolation="rule")
    assert _waiting() <= before + 5


def _waiting() -> int:
    """Return how many timers of the event loop are still to come."""
    return sum(isinstance(each, asyncio.TimerHandle) and not each.cancelled() for each in gc.get_objects())


async def test_a_process_is_retired_at_an_error(wall: OpenSandbox) -> None:
    """After a failure the next run of the rule has a new process."""
    code = "import os\nlog(os.getpid())\n1 / payload"
    bad = await wall.run(code, {"payload": 0}, isolation="rule")
    good = await wall.run(code, {"payload": 1}, isolation="rule")
    assert bad.failure is not None
    assert good.failure is None
    assert bad.logs != good.logs


PAIRS = {
    "a private attribute": (
        "class A:\n    _n = 1\nresult = 'clean' if A._n == 1 else 'LEAK'\nA._n = 2\nA.extra = payload"
    ),
    "a named tuple's class": (
        "P = collections.namedtuple('P', 'x')\nresult = 'LEAK' if P.__name__ != 'P' else 'clean'\n"
        "class Q(P):\n    pass\nQ.x = payload"
    ),
    "a default dictionary": (
        "d = collections.defaultdict(list)\nd['a'].append(1)\nresult = 'clean' if d == {'a': [1]} else 'LEAK'"
    ),
    "an exception": (
        "error = ValueError('x')\nseen = hasattr(error, 'stash') or hasattr(ValueError, 'stash')\n"
        "result = 'LEAK' if seen else 'clean'\nerror.stash = payload"
    ),
    "a member of a facade": (
        "try:\n    json.dumps = None\nexcept TypeError:\n    pass\n"
        "result = 'clean' if json.dumps([]) == '[]' else 'LEAK'"
    ),
    "the traps of the decimal context": (
        "c = decimal.getcontext()\nresult = 'clean' if c.traps[decimal.DivisionByZero] else 'LEAK'\n"
        "c.traps[decimal.DivisionByZero] = False\nc.rounding = decimal.ROUND_UP"
    ),
    "the log": "log(payload)\nresult = 'clean'",
    "headers that are not given": "result = 'LEAK' if headers else 'clean'\nheaders['x'] = 'y'",
    "a query that is not given": "result = 'LEAK' if query else 'clean'\nquery['x'] = 'y'",
    "the clock": "stamp = now()\nresult = 'clean' if now() == stamp else 'LEAK'",
    "a generator left open": "def g():\n    yield payload\nopen_one = g()\nnext(open_one)\nresult = 'clean'",
    "a regex's cache": "result = 'clean' if re.match('a', 'a') else 'LEAK'\nfor n in range(9):\n    re.compile(str(n))",
    "a zone": "z = zoneinfo.ZoneInfo('UTC')\nresult = 'LEAK' if hasattr(z, 'stash') else 'clean'",
    "a replaced name": "result = 'clean' if callable(len) and callable(send) else 'LEAK'\nlen = send = None",
    "a deleted name": "result = 'clean' if json.dumps(1) == '1' else 'LEAK'\njson = None\ndel json",
    "a global": ("try:\n    stash\n    return 'LEAK'\nexcept NameError:\n    stash = payload\n    return 'clean'"),
    "a builtin": "try:\n    return len.stash\nexcept AttributeError:\n    return 'clean'",
    "the decimal context": (
        "import decimal\nc = decimal.getcontext()\nresult = 'clean' if c.prec == 28 else 'LEAK'\nc.prec = 5"
    ),
    "the random generator": (
        "import random\nresult = 'clean' if random.random() == 0.13436424411240122 else 'LEAK'\nrandom.seed(99)"
    ),
    "a default argument": "def f(x=[]):\n    x.append(1)\n    return len(x)\nresult = 'clean' if f() == 1 else 'LEAK'",
    "an input": "result = 'LEAK' if 'seen' in payload else 'clean'\npayload['seen'] = True",
    "a variable": "result = 'LEAK' if 'seen' in variables else 'clean'\nvariables['seen'] = True",
    "the number of commands": "for n in range(50):\n    send('A')\nresult = 'clean'",
    "a class of the script": "class A:\n    n = 1\nresult = 'clean' if A.n == 1 else 'LEAK'\nA.n = 2",
    "a reply": "if payload:\n    reply(200, payload)\nresult = 'clean'",
}


@pytest.mark.parametrize("name", PAIRS)
async def test_nothing_leaks_from_run_to_run_of_a_rule(sandbox: Sandbox, name: str) -> None:
    """Even a reused process starts each run as if it were its first."""

    async def send(command: str, fields: object) -> None:
        return None

    for payload in ({"n": 1}, {}, {"n": 2}):
        run = await sandbox.run(PAIRS[name], {"payload": payload}, send=send, isolation="rule", seed=1)
        assert run.result == "clean"
        assert bool(run.reply) == (name == "a reply" and bool(payload))


async def test_concurrent_runs_do_not_mix(sandbox: Sandbox) -> None:
    """Forty runs at once each get the answers to their own commands."""

    async def send(command: str, fields: dict[str, int]) -> int:
        await asyncio.sleep(0.001 * (fields["n"] % 7))
        return fields["n"] * 2

    code = "result = [payload, send('Double', {'n': payload})]"
    runs = await asyncio.gather(
        *(
            sandbox.run(code, {"payload": n}, send=send, isolation="rule" if n % 2 else "run", tenant=str(n % 3))
            for n in range(40)
        )
    )
    assert [run.result for run in runs] == [[n, n * 2] for n in range(40)]


@pytest.mark.parametrize("isolation", ["run", "rule"])
async def test_no_rule_sees_what_another_had(sandbox: Sandbox, isolation: Isolation) -> None:
    """After a run full of secrets, no run of another rule finds them, whatever it keeps and looks at."""
    secret = "canary-7f3a"
    keeper = (
        "kept = [payload]\nclass Kept:\n    _secret = payload\nre.compile(payload)\nrandom.seed(payload)\n"
        "decimal.getcontext().prec = 7\ntry:\n    json.stash = payload\nexcept TypeError:\n    pass\nresult = len(kept)"
    )
    looker = (
        "found = []\nfor name in ('kept', 'Kept', 'stash'):\n    for owner in (json, re, random, log, ValueError):\n"
        "        if hasattr(owner, name):\n            found.append(name)\ntry:\n    found.append(kept)\n"
        "except NameError:\n    pass\nresult = [found, payload, str(json), decimal.getcontext().prec]"
    )
    for tenant in ("1:a:1", "2:a:1"):
        await sandbox.run(keeper, {"payload": secret}, isolation=isolation, tenant=tenant)
        run = await sandbox.run(looker, {"payload": 1}, isolation=isolation, tenant=tenant)
        assert run.result == [[], 1, "<module 'json'>", 28]
        assert secret not in f"{run.result} {run.logs}"
