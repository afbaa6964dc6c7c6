"""What a script can reach at all, followed from every name it has, and from every program it may write."""

import collections
import contextlib
import dis
import io
import marshal
import types
from collections.abc import Iterable, Iterator
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import guards, policy, zones
from scripts.compiler import CONTAINER, compile_script
from scripts.privates import is_private

FORBIDDEN = (
    types.ModuleType,
    types.FrameType,
    types.CodeType,
    types.TracebackType,
    types.CellType,
    io.IOBase,
    guards.GuardedFormatter,
)

OWN_NAMES = {name for name in guards.namespace() if name.startswith("_")} | {CONTAINER}


def neighbours(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the guards hand out of a value: attributes, items, its class, and one kept iteration."""
    for name in dir(value):
        # Closed to scripts, or a property that does not apply to this value.
        with contextlib.suppress(Exception):
            yield f".{name}", guards.get_attribute(value, name)
    with contextlib.suppress(TypeError):
        yield "|type", guards.type_of(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"[{at}]", item) for at, item in enumerate(list(cast("Iterable[Any]", value))[:20]))
    elif isinstance(value, dict):
        yield from ((f"[{key!r}]", item) for key, item in list(cast("dict[Any, Any]", value).items())[:20])


def samples() -> dict[str, Any]:
    """Return a value of every kind that scripts can make of what they have."""
    zones.load()
    scope = guards.namespace()
    names = {name: value for name, value in scope.items() if not name.startswith("_")}
    made = (
        "error:ValueError('x')", "pattern:re.compile('a')", "match:re.match('a', 'a')", "generator:(x for x in [1])",
        "hash:hashlib.sha256(b'')", "mac:hmac.new(b'k', b'm', 'sha256')", "identifier:uuid.uuid4()",
        "moment:datetime.datetime.now(datetime.timezone.utc)", "zone:zoneinfo.ZoneInfo('UTC')", "text:'a'",
        "number:decimal.Decimal(1)", "fraction:fractions.Fraction(1, 2)", "parsed:urllib.parse.urlparse('http://a/b')",
        "context:decimal.getcontext()", "tuple:collections.namedtuple('P', 'x')(1)", "partial:functools.partial(len)",
        "function:lambda: 1", "property:property(len)", "method:[].append", "format:'{}'.format", "alias:list[int]",
        "hint:typing.Optional[int]", "random:random.Random(1)", "super:super(bool, True)", "range:range(3)",
        "record:collections.namedtuple('P', 'x y')", "parts:urllib.parse.urlsplit('http://u@h/p')._replace(path='')",
        "fields:collections.namedtuple('P', 'x y')(1, 2)._asdict()", "counter:collections.Counter('ab')",
        "layers:collections.ChainMap({}, {})", "deque:collections.deque([1])", "iterator:iter([1])", "slice:slice(1)",
        "cycle:itertools.cycle('ab')", "key:functools.cmp_to_key(len)(1)", "delta:datetime.timedelta(1)",
    )  # fmt: skip
    builtins = scope["__builtins__"]
    names |= {name: value for name, value in builtins.items() if not name.startswith("_")}
    for entry in made:
        name, _, source = entry.partition(":")
        names[f"<{name}>"] = run(f"result = {source}", dict(scope))
    return names


def run(source: str, scope: dict[str, Any]) -> Any:
    """Run a compiled script in this process: it only makes values."""
    code = compile_script(source, 100)["code"]
    exec(marshal.loads(code), scope)  # noqa: S102, S302
    scope[CONTAINER]()
    return scope["result"]


def test_no_walk_from_any_name_leaves_what_is_offered():
    """Following attributes, items and classes for four steps never meets a module, frame, code or file."""
    queue = collections.deque((name, value, 0) for name, value in samples().items())
    seen: set[int] = set()
    kept: list[Any] = []
    while queue:
        path, value, steps = queue.popleft()
        assert not isinstance(value, FORBIDDEN), path
        assert value is not type, path
        assert value is not guards.FORMATTER, path
        if id(value) in seen or steps == 4:
            continue
        seen.add(id(value))
        kept.append(value)
        queue.extend((path + step, found, steps + 1) for step, found in neighbours(value))
    assert len(seen) > 1_000


NAMES = st.sampled_from(
    ["x", "y", "payload", "json", "_getattr_", "__builtins__", "_", "__import__", "result", "super", "eval", "print"]
)
ATTRIBUTES = st.sampled_from(
    ["a", "format", "__class__", "__init__", "__name__", "gi_frame", "f_globals", "_private", "x__roles__", "obj"]
)

EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["1", "'text'", "None"]),
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner, ATTRIBUTES),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}({}, *{}, _k={})".format, inner, inner, inner, inner),
        st.builds("{}({})".format, inner, inner),
        st.builds("[{} for {} in {} if {}]".format, inner, NAMES, inner, inner),
        st.builds("(lambda {}: {})".format, NAMES, inner),
        st.builds("({} := {})".format, NAMES, inner),
        st.builds('f"{{{}:{{{}}}}}"'.format, NAMES, NAMES),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)

PATTERNS = st.recursive(
    NAMES | st.sampled_from(["1", "'text'", "None", "json.decoder", "*y", "int(real=x)", "A(_x=y)"]),
    lambda inner: st.one_of(
        st.builds("[{}, *{}]".format, inner, NAMES),
        st.builds("{{'k': {}, **{}}}".format, inner, NAMES),
        st.builds("{}({})".format, NAMES, inner),
        st.builds("({}) as {}".format, inner, NAMES),
        st.builds("({}) | ({})".format, inner, inner),
    ),
    max_leaves=4,
)

STATEMENTS = st.one_of(
    st.builds("{} = {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("{} += {}".format, EXPRESSIONS, EXPRESSIONS),
    st.builds("{}: {} = {}".format, EXPRESSIONS, EXPRESSIONS, EXPRESSIONS),
    st.builds("del {}".format, EXPRESSIONS),
    st.builds("import {} as {}".format, NAMES, NAMES),
    st.builds("from {} import {} as {}".format, NAMES, ATTRIBUTES, NAMES),
    st.builds(
        "def {}({}={}, *{}):\n    global {}\n    return {}".format,
        NAMES, NAMES, EXPRESSIONS, NAMES, NAMES, EXPRESSIONS,
    ),
    st.builds(
        "class {}({}):\n    {} = {}\n    def {}(self):\n        pass".format,
        NAMES, EXPRESSIONS, NAMES, EXPRESSIONS, ATTRIBUTES,
    ),
    st.builds("for {} in {}:\n    {}".format, EXPRESSIONS, EXPRESSIONS, EXPRESSIONS),
    st.builds("with {} as {}:\n    {}".format, EXPRESSIONS, EXPRESSIONS, EXPRESSIONS),
    st.builds("try:\n    {}\nexcept {} as {}:\n    pass".format, EXPRESSIONS, EXPRESSIONS, NAMES),
    st.builds("match {}:\n    case {}:\n        {}".format, EXPRESSIONS, PATTERNS, EXPRESSIONS),
    st.builds("return {}".format, EXPRESSIONS),
    st.builds("global {}".format, NAMES),
)  # fmt: skip


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a code object and those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=4).map("\n".join))
def test_no_accepted_program_has_a_private_name_of_its_own(source: str):
    """Whatever compiles reads attributes and items through guards only, and binds none of their names."""
    compiled = compile_script(source, 100)
    assert bool(compiled["code"]) != bool(compiled["problems"])
    for problem in compiled["problems"]:
        assert 1 <= problem["line"] <= problem["end_line"]
    if compiled["code"] is None:
        return
    for code in codes(marshal.loads(compiled["code"])):  # noqa: S302
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD", "BINARY_SUBSCR", "LOAD_SUPER_ATTR"):
                raise AssertionError(f"{step.opname} {step.argval}")
            if step.opname.startswith(("STORE_", "DELETE_")) and isinstance(step.argval, str):
                assert own(step.argval), step


OF_THE_COMPILER = {"__module__", "__qualname__", "__classcell__", "__firstlineno__", "__static_attributes__"}


def own(name: str) -> bool:
    """Tell whether a script, or the compiler on its behalf, may bind a name."""
    made = (name.startswith("_tmp") and name.endswith("_")) or name in {*OF_THE_COMPILER, CONTAINER, "_"}
    return made or not name.startswith("_") or is_private(name) or name in policy.MAGIC_METHODS
