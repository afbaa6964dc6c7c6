"""No script gets at a class of classes, a raw function of the library, or an attribute that is not listed for it."""

import pytest

from scripts import Limits, Sandbox

pytestmark = pytest.mark.anyio

SELF = {
    "a method of Counter on a class": "collections.Counter.copy(int)",
    "a method of Counter kept": "(lambda f: f(int))(collections.Counter.copy)",
    "a method of Counter by map": "list(map(collections.Counter.copy, [int]))",
    "a method of Counter by partial": "functools.partial(collections.Counter.copy, int)()",
    "a method of Counter by an alias": "collections.Counter[int].copy(int)",
    "a method of ChainMap": "collections.ChainMap.new_child(int)",
    "a property of ChainMap": "collections.ChainMap.parents.fget(int)",
    "a property that is not called": "collections.ChainMap.parents",
    "a property of a UUID": "uuid.UUID.hex",
    "a property of a fraction": "fractions.Fraction.numerator",
    "a setter of a property": "property(len).fget",
    "a method of a fraction": "fractions.Fraction.limit_denominator(int)",
    "a method of a record": "collections.namedtuple('P', 'x')._replace(int)",
    "the register of an abstract class": "collections.ChainMap.register(int)",
    "the order of bases": "int.mro()",
    "a slot of an error": "AttributeError.obj",
    "the object of an error": "caught(lambda: json.nothing).obj",
    "the object that is compared": "functools.cmp_to_key(len)(1).obj",
    "the mapping of a view": "{}.keys().mapping",
    "the scanner of a pattern": "re.compile('a').scanner",
    "an enumeration behind a flag": "re.I.name",
    "an enumeration behind a UUID": "uuid.uuid4().is_safe",
    "the origin of an alias": "list[int].__origin__",
    "a cache": "urllib.parse.urlsplit.cache_clear()",
    "a function behind a method": "log.__func__",
    "a library function given an object": "textwrap.fill(Own())",
    "a library function given a class": "statistics.mean([Own])",
    "a library function given an object that looks like a record": "textwrap.fill(Record())",
    "a library function given a record of functions": (
        "textwrap.fill(collections.namedtuple('R', 'expandtabs translate')(lambda n: 'a', len))"
    ),
    "a library function given an error with functions": "textwrap.fill(given(OSError(), translate=str))",
    "a library function given an error by its name": "textwrap.fill('a', initial_indent=OSError())",
    "a separator of the script's own": "print('a', sep=Own())",
    "an end of the script's own": "print('a', end=Own())",
    "a cached function given an object": "urllib.parse.urlsplit(Own())",
    "a template that is an object": "re.sub('a', Own(), 'a')",
    "a digest that is an object": "hmac.new(b'k', b'm', Own)",
    "a quoting of the script's own": "urllib.parse.urlencode({'a': 1}, quote_via=lambda *a: '')",
    "a field in other letters": "collections.namedtuple('P', '\uff3f\uff3fclass\uff3f\uff3f')",
    "super of a library class": "super(bool, True).real",
    "super of a class": "super(Own, Own).method(1)",
    "super of nothing": "super(Own).method",
    "an attribute of a counter": "setattr(collections.Counter(), 'get', 1)",
    "an attribute of an error that the interpreter keeps": "setattr(MemoryError(), 'kept', 1)",
    "a format of a class": "str.format('{0.__class__}', 1)",
    "a format with a function": "'{0.__globals__}'.format(json.loads)",
    "an attribute that only looks like it": "getattr(1, Own())",
    "a name in other letters": "getattr(1, '\uff3f\uff3fclass\uff3f\uff3f')",
}
"""Each of these expressions must raise."""

PRELUDE = """
class Own:
    def method(self): return 1
    def __eq__(self, other): return True
    def __hash__(self): return hash("real")
class Record(tuple):
    _fields = ()
    def expandtabs(self, size): return self
    def translate(self, table): return "x"
def given(error, **functions):
    for name, function in functions.items():
        setattr(error, name, function)
    return error
def caught(does):
    try:
        does()
    except Exception as error:
        return error
"""


@pytest.mark.parametrize("name", SELF)
async def test_what_is_not_listed_cannot_be_had(sandbox: Sandbox, name: str) -> None:
    """An unbound function, a property, a cache or an object behind a value is refused, however it is asked for."""
    run = await sandbox.run(f"{PRELUDE}result = str({SELF[name]})", {})
    assert run.failure is not None, run.result
    assert run.failure.reason in ("error", "forbidden")


REFUSED = {
    "a class of classes in a class statement": "class X(metaclass=len): pass",
    "names for patterns": "class X:\n    __match_args__ = ('a',)",
    "a hook for bases": "class X:\n    def __mro_entries__(self, bases): return (object,)",
    "a hook for parts": "class X:\n    def __class_getitem__(cls, item): return cls",
    "a hook for children": "class X:\n    def __init_subclass__(cls): pass",
    "a hook for names": "class X:\n    def __set_name__(self, owner, name): pass",
    "a finaliser": "class X:\n    def __del__(self): pass",
    "a descriptor": "class X:\n    def __get__(self, owner, kind): return 1",
    "a guard as a global": "def f():\n    global _getattr_",
    "a guard of an outer function": "def f():\n    x = 1\n    def g():\n        nonlocal _getattr_",
    "a coroutine": "async def f(): pass",
    "groups of errors": "try:\n    pass\nexcept* ValueError:\n    pass",
    "a dotted pattern": "match payload:\n    case json.loads: pass",
    "a pattern that reads an attribute": "match payload:\n    case int(real=x): pass",
    "a name in other letters": "__\uff49mport__('os')",
    "an attribute in other letters": "payload.__\uff43lass__",
    "a null byte": "result = 1\0",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_changes_how_classes_work_is_refused_when_it_is_saved(sandbox: Sandbox, name: str) -> None:
    """A class cannot take part in creation, patterns, finalising or attribute access."""
    check = await sandbox.check(REFUSED[name])
    assert check.problems


async def test_a_named_tuple_cannot_show_frames(sandbox: Sandbox) -> None:
    """A record's own fields are its own: a pattern of it matches nothing else."""
    code = (
        "N = collections.namedtuple('N', ['gi_frame'])\ndef g(): yield 1\nresult = 'none'\n"
        "match g():\n    case N(x): result = str(x)"
    )
    assert (await sandbox.run(code, {})).result == "none"


async def test_the_title_of_a_named_tuple_is_asked_for_once(sandbox: Sandbox) -> None:
    """An object that answers differently the second time does not get past the check."""
    code = (
        "class Title:\n    asked = 0\n    def __str__(self):\n        Title.asked += 1\n"
        "        return 'N' * Title.asked\nresult = collections.namedtuple(Title(), 'x').__name__"
    )
    assert (await sandbox.run(code, {})).result == "N"


async def test_what_a_pattern_keeps_cannot_be_changed_by_a_comparison(sandbox: Sandbox) -> None:
    """The names of a pattern's groups are a copy: comparing them hands out nothing of the cache."""
    code = (
        "class Taker:\n    def __eq__(self, other):\n        other['n'] = 9\n        return True\n"
        "p = re.compile('(?P<n>a)')\np.groupindex == Taker()\nresult = [p.groupindex['n'], p.match('a').group('n')]"
    )
    assert (await sandbox.run(code, {})).result == [1, "a"]


ORDINARY = {
    "sorted(map(str.strip, [' b', 'a ']), key=str.lower)": ["a", "b"],
    "list(map(dict.keys, [{'a': 1}]))[0].isdisjoint({'b'})": True,
    "set.union({1}, {2}) == {1, 2}": True,
    "collections.Counter('abca').most_common(1)[0][0]": "a",
    "collections.ChainMap({'a': 1}).new_child({'b': 2})['a']": 1,
    "dict.fromkeys('ab', 1)": {"a": 1, "b": 1},
    "int.from_bytes(bytes.fromhex('0102'), 'big')": 258,
    "datetime.datetime.strptime('2026-01-02', '%Y-%m-%d').date().isoformat()": "2026-01-02",
    "str(decimal.Decimal('1.10').quantize(decimal.Decimal('0.1'), rounding=decimal.ROUND_UP))": "1.1",
    "re.sub('a', lambda m: m.group().upper(), 'abc', flags=re.I | re.M)": "Abc",
    "urllib.parse.urlencode({'a': 'b c'}, quote_via=urllib.parse.quote)": "a=b%20c",
    "hmac.new(b'k', b'm', hashlib.sha256).hexdigest()[:8]": "b60090e3",
    "statistics.mean(x / 2 for x in [1, 2, 3])": 1.0,
    "statistics.median_low(['b', 'a', 'c'])": "b",
    "textwrap.indent('a', '> ', lambda line: True)": "> a",
    "list(itertools.chain.from_iterable([[1], [2]]))": [1, 2],
    "collections.namedtuple('P', 'x y')(1, 2)._replace(x=5)._asdict()": {"x": 5, "y": 2},
    "getattr({}, 'nothing', 7)": 7,
    "'{0[a]} {b.real:>3}'.format({'a': 1}, b=2)": "1   2",
    "functools.partial(len, 'abc').func is len": True,
}


@pytest.mark.parametrize("code", ORDINARY)
async def test_ordinary_uses_still_work(sandbox: Sandbox, code: str) -> None:
    """What honest scripts read from classes and values is listed."""
    run = await sandbox.run(f"result = {code}", {})
    assert (run.failure, run.result) == (None, ORDINARY[code])


BOMBS = {
    "nested brackets": "x = " + "(" * 30_000 + ")" * 30_000,
    "nested functions": "x = " + "lambda: " * 8_000 + "1",
    "nested texts": "x = " + "f'{" * 100 + "1" + "}'" * 100,
    "a chain of attributes": "x = payload" + ".a" * 32_000,
    "a chain of signs": "x = " + "-" * 60_000 + "1",
    "a folded power": "x = 10 ** 10 ** 6",
    "a folded text": "x = 'a' * 10 ** 9",
    "a folded list": "x = [0] * 10 ** 9 if payload else 1",
    "many refusals": "__a;" * 16_000,
    "many unknown names": "\n".join(f"name{n}" for n in range(6_000)),
    "many functions": "\n".join(f"def f{n}(): pass" for n in range(3_000)),
    "nested comprehensions": "x = " + "[y for y in " * 90 + "payload" + "]" * 90,
}


@pytest.mark.parametrize("name", BOMBS)
async def test_no_source_costs_more_than_its_limits(sandbox: Sandbox, name: str) -> None:
    """Whatever is saved, checking it ends within its processor time and with a short answer."""
    check = await sandbox.check(BOMBS[name])
    assert len(check.problems) <= 100
    assert len(check.warnings) <= 100


RESULTS = {
    "itself": "x = []\nx.append(x)\nresult = x",
    "a huge number": "result = 1 << 100_000",
    "no number": "result = float('nan')",
    "half a pair": "result = '\\ud800'",
    "many values": "result = [0] * 200_000",
    "an iterator that never ends": (
        "class X(list):\n    def __iter__(self):\n        while True:\n            yield 1\nresult = X()"
    ),
    "a length that lies": "class X(list):\n    def __len__(self):\n        return -1\nresult = X()",
    "items that loop": (
        "class X(dict):\n    def items(self):\n        while True:\n            yield ('a', 1)\nresult = X()"
    ),
    "a text that loops": (
        "class X(Exception):\n    def __str__(self):\n        while True:\n            pass\nraise X()"
    ),
}


@pytest.mark.parametrize("name", RESULTS)
async def test_a_result_is_written_down_inside_the_limits(sandbox: Sandbox, name: str) -> None:
    """What runs while a result is looked at is the script's own time, and what no JSON holds is an error."""
    run = await sandbox.run(RESULTS[name], {}, limits=Limits(cpu_seconds=0.3, wall_seconds=3))
    if name != "a length that lies":
        assert run.failure is not None
        assert run.failure.reason in ("error", "output", "cpu", "memory")
