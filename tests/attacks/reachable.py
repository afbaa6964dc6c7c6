"""A walk over everything that a script can reach: attributes, items, classes and results of calls, from every name."""

import collections
import contextlib
import marshal
import types
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, cast

from scripts.child import facades, guards
from scripts.child.attributes import MEMBERS
from scripts.child.compiler import CONTAINER, compile_script

NEWER_NAMES = {"error": "PatternError"}
"""Kinds that newer versions of Python call otherwise, by their older name."""

STEPS = 4
"""How far from a name the walk goes."""

SAMPLES = """
[1, (2, 3), {4}, frozenset({5}), {"k": 6}, 1.5, 1j, "text", b"bytes", bytearray(b"x"), range(3), slice(1), None, True,
 ValueError("x"), KeyError("k"), OSError(2, "gone"), StopIteration(1), UnicodeDecodeError("ascii", b"x", 0, 1, "why"),
 UnicodeEncodeError("ascii", "x", 0, 1, "why"), UnicodeTranslateError("x", 0, 1, "why"), ImportError("x"),
 caught(lambda: b"\\xff".decode()), caught(lambda: "\\xe9".encode("ascii")),
 NameError("n"), AttributeError("a"), SyntaxError("s"), MemoryError(), CommandError("c", "m", []), GeneratorExit(),
 caught(lambda: json.nothing), caught(lambda: json.loads("{")), caught(lambda: re.compile("(")),
 caught(lambda: 1 / 0), caught(lambda: decimal.Decimal("x")), caught(lambda: zoneinfo.ZoneInfo("x")),
 caught(lambda: statistics.mean([])), caught(lambda: binascii.unhexlify("x")),
 caught(lambda: calendar.monthrange(1, 99)),
 re.compile("(?P<n>a)"), re.match("(?P<n>a)", "a"), re.finditer("a", "a"), (x for x in [1]), iter([1]), iter({}),
 iter(len, 1), map(len, []), filter(len, []), zip([1]), enumerate([1]), reversed([1]), {}.keys(), {}.values(),
 {}.items(), hashlib.md5(b""), hashlib.sha1(b""), hashlib.sha256(b""), hashlib.sha512(b""), hashlib.sha3_256(b""),
 hashlib.blake2b(b""), hashlib.blake2s(b""), hmac.new(b"k", b"m", "sha256"), uuid.uuid4(), uuid.UUID(int=1),
 datetime.datetime.now(), datetime.date.today(), datetime.time(1), datetime.timedelta(1), datetime.timezone.utc,
 datetime.datetime.now().timetuple(), datetime.date.today().isocalendar(), datetime.datetime.now().date(),
 datetime.datetime.strptime("2026", "%Y"), zoneinfo.ZoneInfo("UTC"), decimal.Decimal(1), decimal.Decimal(1).as_tuple(),
 decimal.getcontext(), decimal.getcontext().traps, decimal.getcontext().flags, decimal.localcontext(),
 fractions.Fraction(1, 2), statistics.linear_regression([1, 2], [1, 2]), urllib.parse.urlparse("http://u:p@h:1/p;x?q#f"),
 urllib.parse.urlsplit("http://h/p"), urllib.parse.urldefrag("a#b"), urllib.parse.urlsplit(b"http://h/p"),
 urllib.parse.urlparse(b"http://h/p"), urllib.parse.urldefrag(b"a#b"), collections.namedtuple("P", "x y"),
 collections.namedtuple("P", "x y")(1, 2), collections.Counter("ab"), collections.OrderedDict(a=1),
 collections.OrderedDict(a=1).keys(), collections.OrderedDict(a=1).items(), collections.OrderedDict(a=1).values(),
 collections.ChainMap({"a": 1}), collections.ChainMap({}).keys(), collections.ChainMap({}).items(),
 collections.ChainMap({}).values(), collections.defaultdict(list), collections.deque([1]), random.Random(1),
 functools.partial(len, "abc"), functools.cmp_to_key(len)(1), itertools.chain([1]), itertools.count(),
 itertools.groupby([1]), next(itertools.groupby([1])), itertools.tee([1]), itertools.cycle("a"), itertools.repeat(1),
 itertools.product([1]), itertools.accumulate([1]), itertools.islice([1], 1), itertools.pairwise([1, 2]),
 calendar.weekday(2026, 1, 1), calendar.monthrange(2026, 1), calendar.monthcalendar(2026, 1),
 lambda: 1, Own, Own(), Own().method, Own.made, Own.static, Own.value, OwnError("x"), OwnDict(a=1), Own().above(),
 OwnDict(a=1).above(), Own.above_class(), property(len), classmethod(len), staticmethod(len), [].append, str.strip,
 dict.fromkeys, "{}".format, list[int], int | str, collections.Counter[int], typing.Optional[int], NotImplemented,
 Ellipsis, super(Own, Own()), super(bool, True), super(Own), json, len, print_nothing]
"""
"""A value of every kind that scripts can make of what they have."""

PROGRAM = f"""
class Own:
    kept = 1
    def method(self): return 1
    def above(self): return super()
    @classmethod
    def made(cls): return cls
    @classmethod
    def above_class(cls): return super()
    @staticmethod
    def static(): return 1
    @property
    def value(self): return 1
class OwnError(ValueError):
    pass
class OwnDict(dict):
    def above(self): return super()
def print_nothing(*values): return None
def caught(does):
    try:
        does()
    except Exception as error:
        return error
result = {SAMPLES.strip()}
"""


class Found(NamedTuple):
    """An attribute that a script can read, and of which nature what it gets is."""

    kind: str
    name: str
    nature: str
    path: str


def walk() -> tuple[dict[tuple[str, str], Found], dict[type, str], list[type]]:
    """Return each attribute that can be read, each kind of object with the way to it, and all classes."""
    queue = collections.deque((name, value, 0) for name, value in _names().items())
    attributes: dict[tuple[str, str], Found] = {}
    kinds: dict[type, str] = {}
    seen: dict[int, Any] = {}
    while queue:
        path, value, steps = queue.popleft()
        kinds.setdefault(value.__class__, path)
        if id(value) in seen or steps == STEPS:
            continue
        seen[id(value)] = value  # kept, so that no other object gets its id
        for name, found in _attributes(value):
            key = (title(value), name)
            attributes.setdefault(key, Found(*key, nature(found), path))
            queue.append((f"{path}.{name}", found, steps + 1))
        queue.extend((f"{path}{step}", found, steps + 1) for step, found in _further(value))
    return attributes, kinds, [value for value in seen.values() if isinstance(value, type)]


def title(value: Any) -> str:
    """Return a kind of object by its name, errors by the listed one they derive from; of a module, the module."""
    if isinstance(value, facades.Facade):
        return repr(value).strip("<>").replace("'", "")
    if isinstance(value, type):
        return f"class {_name(cast('type[object]', value))}"
    return _name(type(cast("object", value)))


def _name(kind: type[object]) -> str:
    name = _listed(kind).__name__
    return NEWER_NAMES.get(name, name)


def _listed(kind: type[object]) -> type[object]:
    if not issubclass(kind, BaseException):
        return kind
    return next(base for base in kind.__mro__ if base in MEMBERS)


def nature(value: Any) -> str:
    """Return what a value is to an attacker: `class`, `python` (a function written in Python), `C` or `data`."""
    function = getattr(value, "__func__", value)
    if isinstance(value, type):
        return "class"
    if isinstance(function, types.FunctionType):
        return "python"
    return "C" if callable(value) else "data"


def run(source: str, scope: dict[str, Any]) -> Any:
    """Run a compiled script in this process: it only makes values."""
    compiled = compile_script(source, 100)
    assert compiled["code"], compiled["problems"]
    exec(marshal.loads(compiled["code"]), scope)  # noqa: S102, S302
    scope[CONTAINER]()
    return scope["result"]


def _names() -> dict[str, Any]:
    facades.preload()
    scope = guards.namespace()
    names = {name: value for name, value in scope.items() if not name.startswith("_")}
    names |= {name: value for name, value in scope["__builtins__"].items() if not name.startswith("_")}
    samples = run(PROGRAM, dict(scope))
    return names | {f"<{at} {type(value).__name__}>": value for at, value in enumerate(samples)}


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the guard hands out of all that Python itself knows of a value."""
    classes = (*type(value).__mro__, *(value.__mro__ if isinstance(value, type) else ()))
    names = {name for base in classes for name in vars(base)} | set(getattr(value, "__dict__", ()))
    if isinstance(value, facades.Facade):
        names |= set(object.__getattribute__(value, "_members"))
    for name in sorted(names):
        # Closed to scripts, or a property that does not apply to this value.
        with contextlib.suppress(Exception):
            yield name, guards.get_attribute(value, name)


def _further(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a value's class, its first items, and what it returns when it is called with nothing."""
    with contextlib.suppress(TypeError):
        yield "|type", guards.type_of(value)
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", item) for key, item in list(cast("dict[Any, Any]", value).items())[:20])
    elif not isinstance(value, (str, bytes, type)):
        with contextlib.suppress(Exception):
            yield from ((f"[{at}]", item) for at, item in enumerate(islice(cast("Iterable[Any]", value), 20)))
    call = cast("Any", value)
    if callable(call):
        with contextlib.suppress(BaseException):
            yield "()", call()
