"""Our JSON Schema against the library that decides leaves, over schemas and data made up at random."""

import random
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from bpm.metering import Meter
from bpm.schemas.builder import Builder
from bpm.schemas.check import SchemaCheck
from bpm.schemas.drafts import DRAFTS

CASES = 400
NAMES = ["a", "b", "ab", "c", ""]
PATTERNS = ["^a", "b$", "[ab]", "^.$", r"\d"]
NUMBERS = [0, 1, 2, 3, -1, 1.0, 2.5, 0.1, 10**30, 1e300]
SCALARS = [None, True, False, "", "a", "ab", "1", "2026-01-01", "a@b.ng", *NUMBERS]
TYPES = ["null", "boolean", "string", "number", "integer", "object", "array"]
REFERENCES = [{"$ref": f"#/definitions/{name}"} for name in "xyz"]


class Maker:
    """Makes schemas of a draft and data; references stand below properties and items, so that none is its own part."""

    def __init__(self, seed: int, year: int) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.year = year
        self.makers = self._keywords()

    def data(self, depth: int = 3) -> Any:
        kind = self.random.random()
        if depth and kind < 0.35:
            return [self.data(depth - 1) for _ in range(self.random.randint(0, 3))]
        if depth and kind < 0.7:
            return {name: self.data(depth - 1) for name in self.some(NAMES, 3, 0)}
        return self.random.choice(SCALARS)

    def some(self, values: list[Any], most: int, least: int = 1) -> list[Any]:
        return self.random.sample(values, self.random.randint(least, most))

    def schema(self, depth: int = 3) -> Any:
        if self.random.random() < 0.1 and self.year > 4:
            return self.random.random() < 0.6
        if depth == 0:
            return {"type": self.random.choice(TYPES)}
        names = self.some(list(self.makers), 3)
        return {name: value for each in names for name, value in self.makers[each](depth - 1).items()}

    def below(self, depth: int) -> Any:
        return self.random.choice(REFERENCES) if self.random.random() < 0.3 else self.schema(depth)

    def several(self, depth: int) -> list[Any]:
        return [self.schema(depth) for _ in range(self.random.randint(1, 3))]

    def _keywords(self) -> dict[str, Callable[[int], dict[str, Any]]]:
        pick, year = self.random.choice, self.year
        one: dict[str, Callable[[int], Any]] = {
            "type": lambda _: pick([pick(TYPES), self.some(TYPES, 3)]),
            "enum": lambda _: [self.data(1)],
            "minimum": lambda _: pick(NUMBERS),
            "maximum": lambda _: pick(NUMBERS),
            "multipleOf": lambda _: pick([1, 2, 0.1, 2.5]),
            "pattern": lambda _: pick(PATTERNS),
            "format": lambda _: pick(["date", "email", "ipv4", "unknown"]),
            "uniqueItems": lambda _: pick([True, False]),
            "required": lambda _: self.some(NAMES, 2),
            "properties": lambda depth: {name: self.below(depth) for name in self.some(NAMES, 3)},
            "patternProperties": lambda depth: {name: self.below(depth) for name in self.some(PATTERNS, 2)},
            "additionalProperties": self.below,
            "items": self.below,
            "not": self.schema,
        }
        for name in ("Length", "Items", "Properties"):
            one |= dict.fromkeys((f"min{name}", f"max{name}"), lambda _: pick([0, 1, 2]))
        one |= dict.fromkeys(("allOf", "anyOf", "oneOf"), self.several)
        if year > 4:
            one |= {"const": lambda _: self.data(1), "contains": self.below, "propertyNames": self.schema}
            one |= dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), lambda _: pick(NUMBERS))
        if year <= 2019:
            one["items"] = lambda depth: pick([self.below(depth), self.several(depth)])
            one["additionalItems"] = self.below
        if year >= 2019:
            one |= {"unevaluatedProperties": self.below, "unevaluatedItems": self.below}
            one["dependentSchemas"] = lambda depth: {name: self.schema(depth) for name in self.some(NAMES, 2)}
            one["dependentRequired"] = lambda _: {name: self.some(NAMES, 2) for name in self.some(NAMES, 2)}
        else:
            one["dependencies"] = lambda depth: {
                name: pick([self.schema(depth), self.some(NAMES, 2)]) for name in self.some(NAMES, 2)
            }
        if year == 2020:
            one["prefixItems"] = self.several
        makers = {name: _alone(name, make) for name, make in one.items()}
        if year >= 7:
            makers["if"] = lambda depth: {name: self.schema(depth) for name in ("if", "then", "else")}
        if year >= 2019:
            makers["minContains"] = lambda depth: {"contains": self.below(depth), "minContains": pick([0, 1, 2])}
            makers["maxContains"] = lambda depth: {"contains": self.below(depth), "maxContains": pick([0, 1, 2])}
        if year == 4:
            makers["exclusiveMinimum"] = lambda _: {"minimum": pick(NUMBERS), "exclusiveMinimum": pick([True, False])}
        return makers


def _alone(name: str, make: Callable[[int], Any]) -> Callable[[int], dict[str, Any]]:
    return lambda depth: {name: make(depth)}


@pytest.mark.parametrize("uri", DRAFTS)
def test_a_check_agrees_with_the_library(uri: str) -> None:
    """What is valid there is valid here, and what is not has a sentence."""
    for seed in range(CASES):
        maker = Maker(seed, DRAFTS[uri].year)
        schema = {**maker.makers["properties"](2), **maker.makers[maker.random.choice(list(maker.makers))](2)}
        schema |= {"$schema": uri, "definitions": {name: maker.schema() for name in "xyz"}}
        options = jsonschema_rs.RegexOptions()
        theirs = jsonschema_rs.validator_for(schema, pattern_options=options, validate_formats=True, offline=True)
        node = Builder(schema, Meter(1_000_000)).build()
        for _ in range(4):
            data, check = maker.data(), SchemaCheck(Meter(1_000_000))
            assert check.holds(node, data) is theirs.is_valid(data), (schema, data)
            assert bool(list(check.problems(node, data))) is not theirs.is_valid(data), (schema, data)
