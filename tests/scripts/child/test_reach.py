"""What any program that a script may be can touch: names of its own, and the guards."""

import dis
import marshal
import types
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.child.compiler import CONTAINER, compile_script
from scripts.child.privates import is_private
from scripts.shared import policy

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
def test_no_accepted_program_has_a_private_name_of_its_own(source: str) -> None:
    """Whatever compiles reads attributes and items through guards only, and binds none of their names."""
    check_program(source)


def check_program(source: str) -> None:
    """Compile a source and look at each step of what came out."""
    compiled = compile_script(source, 100)
    assert bool(compiled["code"]) != bool(compiled["problems"])
    for problem in compiled["problems"]:
        assert 1 <= problem["line"] <= problem["end_line"]
    if compiled["code"] is None:
        return
    for code in codes(marshal.loads(compiled["code"])):  # noqa: S302
        for step in dis.get_instructions(code):
            # Patterns of sequences take items by their place, as the guard of items does itself.
            items = () if "match" in source else ("BINARY_SUBSCR",)
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", *items):
                raise AssertionError(f"{step.opname} {step.argval}")
            if step.opname.startswith(("STORE_", "DELETE_")) and isinstance(step.argval, str):
                assert own(step.argval), step


OF_THE_COMPILER = {"__module__", "__qualname__", "__classcell__", "__firstlineno__", "__static_attributes__"}


def own(name: str) -> bool:
    """Tell whether a script, or the compiler on its behalf, may bind a name."""
    made = (name.startswith("_tmp") and name.endswith("_")) or name in {*OF_THE_COMPILER, CONTAINER, "_"}
    return made or not name.startswith("_") or is_private(name) or name in policy.MAGIC_METHODS
