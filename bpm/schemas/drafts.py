"""The drafts of JSON Schema: which keywords each has, and how references are looked up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from attrs import evolve
from referencing import Specification
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft; `year` orders them: 4, 6, 7, 2019, 2020. `uri` is what `$schema` says."""

    year: int
    uri: str
    specification: Specification[Any]

    @property
    def ignores_beside_reference(self) -> bool:
        """Whether `$ref` makes everything beside it void."""
        return self.year <= 7


def _older(specification: Specification[Any]) -> Specification[Any]:
    """The same where `dependencies` may hold both names and schemas; `referencing` expects one kind of them."""

    def subresources_of(contents: object) -> Iterable[Any]:
        if isinstance(contents, dict) and "dependencies" in contents:
            given = cast("dict[str, Any]", contents)
            schemas = {name: each for name, each in given["dependencies"].items() if not isinstance(each, list)}
            yield from (each for each in schemas.values() if isinstance(each, dict))
            contents = {name: each for name, each in given.items() if name != "dependencies"}
        yield from specification.subresources_of(contents)

    return evolve(specification, subresources_of=subresources_of)


LATEST = Draft(2020, "https://json-schema.org/draft/2020-12/schema", DRAFT202012)
_ALL = (
    Draft(4, "http://json-schema.org/draft-04/schema", _older(DRAFT4)),
    Draft(6, "http://json-schema.org/draft-06/schema", _older(DRAFT6)),
    Draft(7, "http://json-schema.org/draft-07/schema", _older(DRAFT7)),
    Draft(2019, "https://json-schema.org/draft/2019-09/schema", DRAFT201909),
    LATEST,
)
DRAFTS: Mapping[str, Draft] = {draft.uri: draft for draft in _ALL}


def draft_of(schema: Any, otherwise: Draft = LATEST) -> Draft:
    """Return the draft that a schema names in `$schema`, else the one around it."""
    named = cast("dict[str, Any]", schema).get("$schema") if isinstance(schema, dict) else None
    return DRAFTS.get(named.removesuffix("#"), otherwise) if isinstance(named, str) else otherwise
