"""JSON Schemas made of every keyword, references in circles included, held against nested data.

What is not refused when it is registered must be checked within its steps, and those must not take long.
"""

import time
from typing import Any

from hypothesis import strategies as st
from pydantic_core import to_json

from bpm.metering import OverBudget
from bpm.schemas import MAX_CHECK_STEPS, SchemaError, check_schema, problems

MAX_SECONDS = 4.0
"""Of the processor, for `MAX_CHECK_STEPS`: ten times what they take."""
NAMES = st.sampled_from(["a", "b", "child"])
PATTERNS = st.sampled_from(["^a", "(a|b)+$", r"\w{1,40}", "(.{0,30}){9}z", "(a+)+$", "(?=a)", "["])
REFERENCES = st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#/$defs/child", "#n", "http://x/y", "#/a/0"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([10**300, 1e-300, 0.1, "a" * 3_000, "é" * 900, "ab"])
)
TYPES = ["null", "boolean", "string", "number", "integer", "object", "array", "nope"]


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several, named = st.lists(inner, min_size=1, max_size=3), st.dictionaries(NAMES, inner, max_size=3)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), several),
        **dict.fromkeys(("properties", "dependentSchemas", "$defs", "dependencies"), named),
        **dict.fromkeys(("not", "if", "then", "else", "items", "contains", "additionalProperties"), inner),
        **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems", "propertyNames"), inner),
        **dict.fromkeys(("minItems", "maxLength", "minProperties", "minContains"), st.integers(0, 3)),
        **dict.fromkeys(("$ref", "$dynamicRef", "$recursiveRef"), REFERENCES),
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        "pattern": PATTERNS,
        "type": st.sampled_from(TYPES),
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "const": SCALARS,
        "multipleOf": st.sampled_from([1, 0.1, 1e-308, 10**300]),
        "uniqueItems": st.booleans(),
        "format": st.sampled_from(["date", "uri", "regex", "idn-hostname"]),
        "$dynamicAnchor": st.just("n"),
        "$id": st.sampled_from(["http://x/y", "y", "#n"]),
        "$schema": st.sampled_from(["http://json-schema.org/draft-04/schema#", "http://x/"]),
    }
    return st.fixed_dictionaries({}, optional=keywords)


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": name}


SCHEMAS: st.SearchStrategy[Any] = st.recursive(st.booleans() | REFERENCES.map(_reference), _schemas, max_leaves=8)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=10
)


def fuzz(data: st.DataObject) -> None:
    """Raise when a schema ends in another way than its two errors, or takes too long."""
    definitions: dict[str, Any] = {name: data.draw(SCHEMAS) for name in ("a", "b", "child")}
    schema: dict[str, Any] = {"$defs": definitions, "anyOf": [data.draw(SCHEMAS), {"$ref": "#/$defs/a"}]}
    value = data.draw(DATA)
    for _ in range(data.draw(st.sampled_from([0, 3, 60]))):
        value = {"child": value, "a": 1}
    started = time.thread_time()
    try:
        check_schema(schema)
        problems(to_json(schema).decode(), [value] * data.draw(st.sampled_from([1, 500])))
    except (SchemaError, OverBudget):
        pass
    assert time.thread_time() - started < MAX_SECONDS, f"{MAX_CHECK_STEPS} steps took too long: {schema}"
