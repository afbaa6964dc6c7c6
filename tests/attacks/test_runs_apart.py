"""With isolation `rule`, nothing that a run leaves suspended, changed or kept acts or is seen in the next."""

from typing import Any

import pytest

from scripts import Sandbox

pytestmark = pytest.mark.anyio

LEAVES = "p = payload['s']\n"

SUSPENDED = {
    "a generator": "def g():\n    try:\n        yield\n    finally:\n        {act}\nk = g()\nnext(k)",
    "a generator in a cycle": (
        "a = []\ndef g():\n    try:\n        yield\n    finally:\n        {act}\nk = g()\nnext(k)\n"
        "a.append(k)\na.append(a)"
    ),
    "a generator in the payload": (
        "def g():\n    try:\n        yield\n    finally:\n        {act}\nk = payload['k'] = g()\nnext(k)"
    ),
    "a generator in the variables": (
        "def g():\n    try:\n        yield\n    finally:\n        {act}\nvariables = {{}}\nk = [g()]\nnext(k[0])\n"
        "class Held(dict):\n    pass\nvariables = Held()\nvariables.k = k"
    ),
    "a generator that suspends another": (
        "def g(n):\n    global k\n    try:\n        yield\n    finally:\n        {act}\n        if n:\n"
        "            k = g(n - 1)\n            next(k)\nk = g(20)\nnext(k)"
    ),
    "a generator in an iterator": (
        "def g():\n    try:\n        yield 1\n        yield 2\n    finally:\n        {act}\n"
        "k = map(str, g())\nnext(k)\n"
        "class Held:\n    kept = k"
    ),
    "a context that is left open": (
        "class C:\n    def __enter__(self): return self\n    def __exit__(self, *e):\n        {act}\n"
        "def g():\n    with C():\n        yield\nk = g()\nnext(k)"
    ),
    "a generator in an error": (
        "def g():\n    try:\n        yield\n    finally:\n        {act}\ntry:\n    k = g()\n    next(k)\n"
        "    raise ValueError(k)\n"
        "except ValueError as e:\n    error = e"
    ),
    "a generator that is thrown into": (
        "def g():\n    while True:\n        try:\n            yield\n        except ZeroDivisionError:\n"
        "            pass\n"
        "        finally:\n            {act}\nk = g()\nnext(k)"
    ),
}

ACTS = ("log('late', p)", "send('Late', {{'p': p}})", "reply(200, p)", "print(p)")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", SUSPENDED)
async def test_what_a_run_leaves_suspended_acts_in_no_run(sandbox: Sandbox, name: str, act: str) -> None:
    """Generators are closed when their run ends, and then its log, send and reply are dead."""
    sent: list[Any] = []

    async def send(command: str, fields: dict[str, Any]) -> None:
        sent.append((command, fields))

    code = LEAVES + SUSPENDED[name].format(act=act.format()) + "\nresult = 'clean'"
    for number in range(3):
        payload = {"s": f"secret-{number}", "pad": [[n] for n in range(2_000)]}
        run = await sandbox.run(code, {"payload": payload}, send=send, isolation="rule", tenant=name)
        said = (run.logs, run.reply, run.sends)
        if "while True" in code:  # it cannot be closed: the interpreter says so, and the process is not used again
            continue
        assert (run.failure, run.result, *said) == (None, "clean", [], None, 0)
    assert sent == []


PAIRS = {
    "the last instance of MemoryError": (
        "held = []\nfound = []\nfor n in range(40):\n    try:\n        'a' * 10**10\n    except MemoryError as e:\n"
        "        held.append(e)\n        found += [x for x in e.args]\n        found.append(hasattr(e, 'kept'))\n"
        "        try:\n            e.kept = p\n        except TypeError:\n            pass\n"
        "        try:\n            e.args = (p,)\n        except TypeError:\n            pass\n"
        "result = 'LEAK' if True in found or any('secret' in str(x) for x in found) else 'clean'"
    ),
    "an object in a cache": (
        "class Key:\n    def __hash__(self): return hash('http://a/')\n    def __eq__(self, other):\n"
        "        log(p, other)\n        return False\ntry:\n    urllib.parse.urlsplit(Key())\n"
        "except TypeError:\n    pass\n"
        "urllib.parse.urlsplit('http://a/')\nresult = 'clean'"
    ),
    "a class that was registered": (
        "class A:\n    pass\ntry:\n    collections.ChainMap.register(A)\nexcept AttributeError:\n    pass\n"
        "result = 'LEAK' if isinstance(A(), collections.ChainMap) else 'clean'"
    ),
    "the groups of a pattern": (
        "class T:\n    def __eq__(self, other):\n        other['secret'] = p\n        return True\n"
        "g = re.compile('(?P<n>a)').groupindex\nresult = 'LEAK' if 'secret' in g else 'clean'\ng == T()"
    ),
    "flags that were joined": "f = re.I | 4096\nresult = 'clean' if type(re.I) is int else 'LEAK'",
    "the blanks of a text": (
        "class T:\n    def expandtabs(self, n): return self\n    def translate(self, table):\n        table[65] = 66\n"
        "        return 'x'\ntry:\n    textwrap.fill(T())\nexcept TypeError:\n    pass\n"
        "result = 'LEAK' if textwrap.fill('A') == 'B' else 'clean'"
    ),
    "the blanks of a text, by a record": (
        "R = collections.namedtuple('R', 'expandtabs translate')\nkept = [{}]\n"
        "try:\n    textwrap.fill(R(lambda size: kept[-1], lambda table: kept.append(table) or 'x'))\n"
        "    r = R(lambda size: r, lambda table: kept.append(table) or 'x')\n    textwrap.fill(r)\n"
        "except (TypeError, AttributeError):\n    pass\nkept[-1][65] = 66\n"
        "result = 'LEAK' if textwrap.fill('A') == 'B' else 'clean'"
    ),
    "the blanks of a text, by an error": (
        "e = OSError()\nkept = [{}]\ne.expandtabs = lambda size: e\ne.translate = lambda table: kept.append(table)\n"
        "try:\n    textwrap.fill(e)\nexcept TypeError:\n    pass\nkept[-1][65] = 66\n"
        "result = 'LEAK' if textwrap.fill('A') == 'B' else 'clean'"
    ),
    "the context of numbers": (
        "c = decimal.getcontext()\nresult = 'clean' if (c.prec, c.Emax) == (28, 999999) else 'LEAK'\n"
        "c.prec = 3\nc.Emax = 9"
    ),
    "a context that is open": (
        "k = decimal.localcontext()\ndef g():\n    with k as c:\n        c.prec = 4\n        yield\nx = g()\nnext(x)\n"
        "result = 'clean'"
    ),
    "the precision after that": (
        "result = 'clean' if decimal.getcontext().prec == 28 else 'LEAK'\ndecimal.getcontext().prec = 5"
    ),
    "the dice": "result = 'clean' if random.random() == random.Random(1).random() else 'LEAK'\nrandom.gauss(0, 1)",
    "a zone": "z = zoneinfo.ZoneInfo('UTC')\nresult = 'LEAK' if hasattr(z, 'kept') else 'clean'",
    "the zones": "k = zoneinfo.available_timezones()\nresult = 'LEAK' if 'x' in k else 'clean'\nk.add('x')",
    "a default argument": "def f(x=[]):\n    x.append(p)\n    return len(x)\nresult = 'clean' if f() == 1 else 'LEAK'",
    "a note on an error": "e = ValueError()\nresult = 'clean'\ne.add_note(p)",
    "an attribute of a counter": "c = collections.Counter\nresult = 'LEAK' if hasattr(c, 'kept') else 'clean'",
    "a class attribute": "class A(dict):\n    kept = []\nresult = 'LEAK' if A.kept else 'clean'\nA.kept.append(p)",
}


@pytest.mark.parametrize("name", PAIRS)
async def test_what_a_run_changes_is_not_seen_by_the_next(sandbox: Sandbox, name: str) -> None:
    """Caches, contexts, dice, errors and classes are as in the first run, in every run."""
    for number in range(3):
        code = LEAVES + PAIRS[name]
        run = await sandbox.run(code, {"payload": {"s": f"secret-{number}"}}, isolation="rule", tenant=name, seed=1)
        assert (run.failure, run.result) == (None, "clean")
        assert not [line for line in run.logs if f"secret-{number - 1}" in line]


async def test_a_finaliser_that_never_ends_is_stopped_by_the_clock_of_its_run(sandbox: Sandbox) -> None:
    """Closing what is suspended counts as the run's own processor time."""
    code = (
        "def g():\n    try:\n        yield\n    finally:\n        while True:\n            pass\nk = g()\n"
        "next(k)\nresult = 1"
    )
    for isolation in ("run", "rule"):
        run = await sandbox.run(code, {}, isolation=isolation)
        assert run.failure is not None
        assert run.failure.reason == "cpu"
