"""No script gets at freed or foreign memory through a library that is written in C."""

import pytest

from scripts import Sandbox

pytestmark = pytest.mark.anyio

EVIL = """
class Key:
    acts = None
    def __init__(self, number): self.number = number
    def __hash__(self): return 1
    def __int__(self): return 1
    def __eq__(self, other):
        act, Key.acts = Key.acts, None
        if act: act()
        return NotImplemented
    def __add__(self, other):
        act, Key.acts = Key.acts, None
        if act: act()
        return NotImplemented
def spray(): return [bytes(n % 96) for n in range(4_000)]
"""
"""Keys that do something of the script's while they are compared or added."""

VIEWS = {
    "traps": "t = decimal.Context().traps\nheld = spray()\nfor s in (decimal.Inexact, decimal.Rounded): t[s] = True",
    "flags": "t = decimal.Context().flags\nheld = spray()\nfor s in (decimal.Inexact, decimal.Rounded): t[s] = True",
    "flags of a copy": "t = decimal.getcontext().copy().flags\nheld = spray()\nt[decimal.Clamped] = True",
    "flags by getattr": "t = getattr(decimal.Context(), 'flags')\nheld = spray()\nt[decimal.Inexact] = True",
    "flags of a local context": (
        "with decimal.localcontext() as c: t = c.flags\ndel c\nheld = spray()\nt[decimal.Inexact] = True"
    ),
}


@pytest.mark.parametrize("name", VIEWS)
async def test_the_signals_of_a_context_outlive_it_without_writing_elsewhere(sandbox: Sandbox, name: str) -> None:
    """What is allocated where a context was does not change when its flags or traps are set."""
    code = f"{EVIL}{VIEWS[name]}\nresult = any(any(one) for one in held)".replace("Clamped", "Inexact")
    run = await sandbox.run(code, {})
    assert (run.failure, run.result) == (None, False)


async def test_contexts_do_not_pile_up_over_runs(sandbox: Sandbox) -> None:
    """Flags read in one run do not keep memory in the next."""
    code = "for n in range(1000): decimal.Context().flags\nresult = 1"
    peaks = [(await sandbox.run(code, {}, isolation="rule", tenant="flags")).peak_memory_bytes for _ in range(20)]
    assert peaks[-1] - peaks[1] < 4 * 1024 * 1024


POSITIONS = {
    "made with positions before its text": "e = UnicodeDecodeError('ascii', b'x', -4_000, -3_999, 'r')",
    "made with positions far away": "e = UnicodeDecodeError('ascii', b'x', -1 << 40, 1 - (1 << 40), 'r')",
    "made by its class": (
        "try:\n    b'\\xff'.decode()\nexcept UnicodeDecodeError as found:\n"
        "    e = type(found)('ascii', b'x', -4_000, -3_999, 'r')"
    ),
    "made by a generator": (
        "def g():\n    try:\n        yield\n    except UnicodeError as found:\n        yield found\nk = g()\nnext(k)\n"
        "e = k.throw(UnicodeDecodeError, ('ascii', b'x', -4_000, -3_999, 'r'))"
    ),
    "changed": (
        "try:\n    b'\\xff'.decode()\nexcept UnicodeDecodeError as found:\n    e = found\n"
        "try:\n    e.start, e.end = -4_000, -3_999\nexcept TypeError:\n    pass"
    ),
    "changed by setattr": (
        "try:\n    'é'.encode('ascii')\nexcept UnicodeEncodeError as found:\n    e = found\n"
        "try:\n    setattr(e, 'start', -4_000)\n    setattr(e, 'end', -3_999)\nexcept TypeError:\n    pass"
    ),
}


@pytest.mark.parametrize("name", POSITIONS)
async def test_an_error_of_text_reads_nothing_beside_the_text(sandbox: Sandbox, name: str) -> None:
    """Its words name no byte of memory that is not the text's."""
    run = await sandbox.run(f"{POSITIONS[name]}\nresult = str(e)", {})
    assert run.failure is None or run.failure.reason == "error"
    assert "can't decode byte 0x" not in str(run.result).replace("0xff in position 0", "")


CATCHING = {
    "by its name": (
        "try:\n    b'\\xff'.decode()\nexcept UnicodeDecodeError as e:\n    result = (type(e).__name__, e.start)"
    ),
    "among others": (
        "try:\n    'é'.encode('ascii')\nexcept (KeyError, UnicodeEncodeError) as e:\n"
        "    result = (type(e).__name__, e.start)"
    ),
    "by a name of the script's": (
        "ERRORS = (KeyError, UnicodeDecodeError)\ntry:\n    b'\\xff'.decode()\nexcept ERRORS as e:\n"
        "    result = (type(e).__name__, e.start)"
    ),
    "by a parent": "try:\n    b'\\xff'.decode()\nexcept ValueError as e:\n    result = (type(e).__name__, e.start)",
    "by isinstance": (
        "try:\n    b'\\xff'.decode()\nexcept Exception as e:\n"
        "    result = (isinstance(e, UnicodeDecodeError) and issubclass(type(e), UnicodeError), e.start)"
    ),
    "by a pattern": (
        "try:\n    b'\\xff'.decode()\nexcept Exception as e:\n    match e:\n"
        "        case UnicodeDecodeError(): result = ('matched', e.start)"
    ),
    "raised by the script": (
        "try:\n    raise UnicodeDecodeError('why')\nexcept UnicodeDecodeError as e:\n    result = (str(e), 0)"
    ),
}


@pytest.mark.parametrize("name", CATCHING)
async def test_errors_of_text_are_caught_as_always(sandbox: Sandbox, name: str) -> None:
    """By name, by tuple, by parent, by isinstance and by pattern."""
    run = await sandbox.run(CATCHING[name], {})
    assert run.failure is None
    assert run.result[0] in ("UnicodeDecodeError", "UnicodeEncodeError", True, "matched", "why")
    assert run.result[1] == 0


CHANGING = {
    "an ordered dictionary that is copied": (
        "od = collections.OrderedDict((Key(n), ['v' * n]) for n in range(10))\nKey.acts = od.clear\nod.copy()"
    ),
    "ordered dictionaries that are compared": (
        "for at in range(40):\n    a = collections.OrderedDict((n, Key(n)) for n in range(10))\n"
        "    b = collections.OrderedDict((n, Key(n)) for n in range(10))\n    left = [at]\n"
        "    def act():\n        left[0] -= 1\n        if left[0] < 0:\n            a.clear()\n            b.clear()\n"
        "        else:\n            Key.acts = act\n    Key.acts = act\n    a == b\n    spray()"
    ),
    "an ordered dictionary whose hashes change": (
        "class Dice:\n    def __hash__(self): return random.randint(0, 3)\n"
        "    def __eq__(self, other): return random.random() < .5\n"
        "for round_ in range(300):\n    od = collections.OrderedDict()\n    for n in range(20):\n        try:\n"
        "            od[Dice()] = [n]\n            if n % 3 == 0: od.popitem(last=random.random() < .5)\n"
        "            if n % 4 == 0: od.move_to_end(next(iter(od)))\n            if n % 5 == 0: del od[Dice()]\n"
        "            if n % 7 == 0: od.copy(), list(od.items()), od == od, repr(od)\n"
        "        except (KeyError, RuntimeError, StopIteration): pass"
    ),
    "groups of neighbours": (
        "g = itertools.groupby([Key(n) for n in range(9)], key=lambda k: Key(k.number))\nnext(g)\n"
        "Key.acts = lambda: (next(g), spray())\nnext(g)"
    ),
    "sums": (
        "a = itertools.accumulate([Key(n) for n in range(9)])\nnext(a)\nKey.acts = lambda: (next(a), spray())\nnext(a)"
    ),
    "counting": ("c = itertools.count(Key(1), 1)\nKey.acts = lambda: (next(c), spray())\nnext(c)"),
    "the words of a partial function": (
        "p = functools.partial(len)\nclass Name(Key):\n    def __str__(self):\n        p.keywords.clear()\n"
        "        spray()\n        return 'k'\np.keywords[Name(1)] = ['a' * n for n in range(9)]\n"
        "assert repr(p).count('=') == 0"
    ),
}


@pytest.mark.parametrize("name", CHANGING)
async def test_what_changes_while_it_is_used_does_not_crash(sandbox: Sandbox, name: str) -> None:
    """A comparison, an addition or a text that changes its container ends in a result or an ordinary error."""
    run = await sandbox.run(f"{EVIL}{CHANGING[name]}\nresult = 'done'", {})
    assert run.failure is None or run.failure.reason == "error", run.failure
    assert run.failure is None or "SystemError" not in run.failure.message


SAME = [
    "od = OD(a=1, b=2, c=3)\nod.move_to_end('a')\nresult = list(od)",
    "od = OD(a=1, b=2, c=3)\nod.move_to_end('c', last=False)\nresult = list(od.items())",
    "od = OD(a=1, b=2, c=3)\nresult = [od.popitem(), od.popitem(last=False), list(od)]",
    "result = [OD(a=1, b=2) == OD(b=2, a=1), OD(a=1, b=2) != OD(b=2, a=1), OD(a=1, b=2) == {'b': 2, 'a': 1}]",
    "result = [type(OD(a=1) | {'b': 2}).__name__, list({'b': 2} | OD(a=1)), list(reversed(OD(a=1, b=2)))]",
    "od = OD.fromkeys('ab', 0)\nod |= {'c': 1}\nod.update(d=2)\nresult = [od.copy() == od, json.dumps(od)]",
    "try:\n    OD().popitem()\nexcept KeyError:\n    result = 'empty'",
    "try:\n    OD(a=1).move_to_end('b')\nexcept KeyError as e:\n    result = str(e)",
    "od = OD(a=1)\nod['b'] = od\nresult = [len(repr(od)) > 10, isinstance(od, dict), type(od) is OD]",
    "result = [(k, list(g)) for k, g in itertools.groupby('aabbba')]",
    "result = [k for k, g in itertools.groupby([1, 1, 2], key=lambda n: n % 2)]",
    "groups = [g for k, g in itertools.groupby('aab')]\nresult = [list(g) for g in groups]",
    "g = itertools.groupby('aab')\nk, first = next(g)\nresult = [next(first), next(g)[0], list(first)]",
    "result = [list(itertools.groupby([])), list(itertools.accumulate([])), list(itertools.accumulate([], initial=4))]",
    "result = [list(itertools.accumulate([1, 2, 3])), list(itertools.accumulate([1, 2, 3], max, initial=2))]",
    "result = list(itertools.islice(itertools.count(3, 2), 3)) + list(itertools.islice(itertools.count(.5), 2))",
    "p = functools.partial(sorted, reverse=True)\nresult = [p([1, 2]), p.keywords, p.args]",
]


@pytest.mark.parametrize("code", SAME)
async def test_stand_ins_do_what_the_library_does(sandbox: Sandbox, code: str) -> None:
    """The same lines in plain Python come to the same."""
    import collections
    import functools
    import itertools
    import json

    plain: dict[str, object] = {
        "OD": collections.OrderedDict, "functools": functools, "itertools": itertools, "json": json
    }  # fmt: skip
    exec(code, plain)  # noqa: S102  (the lines above)
    run = await sandbox.run(f"OD = collections.OrderedDict\n{code}", {})
    assert (run.failure, run.result) == (None, json.loads(json.dumps(plain["result"])))
