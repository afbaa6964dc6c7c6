"""A JSON Schema -> nodes with keywords. References are followed once, so that a schema may refer to itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from bpm.metering import Meter

from .check import Keyword, SchemaNode
from .drafts import Draft, draft_of
from .errors import SchemaError
from .keywords.combined import AllOf, AnyOf, IfThenElse, Not, Nothing, OneOf, Unevaluated
from .keywords.lists import Contains, Items, UniqueItems
from .keywords.objects import DependentRequired, DependentSchemas, Properties, PropertyNames, Required
from .keywords.scalars import Bound, Enum, Format, Length, Matches, MultipleOf, Type
from .leaves import Pattern

Schema = dict[str, Any]
Resolver = Any
"""`referencing`'s resolver: where a reference leads from here."""

LENGTHS: Mapping[str, tuple[type, bool]] = {
    "minLength": (str, True), "maxLength": (str, False), "minItems": (list, True), "maxItems": (list, False),
    "minProperties": (dict, True), "maxProperties": (dict, False),
}  # fmt: skip
COMBINED: Mapping[str, Callable[[list[SchemaNode]], Keyword]] = {"allOf": AllOf, "anyOf": AnyOf, "oneOf": OneOf}
DYNAMIC = ("$dynamicRef", "$recursiveRef")
STEPS_PER_SCHEMA = 20
STEPS_PER_DOCUMENT = 10


class Builder:
    """Builds the nodes of one document; the meter bounds how many, and how large its patterns are."""

    def __init__(self, document: object, meter: Meter) -> None:
        """Take the document; raises `SchemaError` when it can't be referred to."""
        self.meter = meter
        self.is_dynamic = _mentions(document, DYNAMIC)
        self.draft = draft_of(document)
        self.nodes: dict[Any, SchemaNode] = {}
        self.waiting: list[tuple[SchemaNode, Any, Resolver, Draft]] = []
        self.patterns: dict[str, Pattern] = {}
        root = self.draft.specification.create_resource(document)
        registry = REGISTRY.with_resource(root.id() or "", root).crawl()
        self.resolver: Resolver = registry.resolver_with_root(root)
        self.document = document

    def build(self) -> SchemaNode:
        """Build everything that can be reached; raises `SchemaError`."""
        root = self.node(self.document, self.resolver, self.draft, is_entered=True)
        while self.waiting:
            node, schema, resolver, draft = self.waiting.pop()
            node.keywords = tuple(_Keywords(self, schema, resolver, draft).all(node))
        for node in self.nodes.values():
            _shorten_aliases(node)
        return root.alias or root

    def node(self, schema: Any, resolver: Resolver, draft: Draft, *, is_entered: bool = False) -> SchemaNode:
        """Return the node of a schema, the same one each time it is met in the same dynamic scope.

        `is_entered`: the resolver knows the schema's own `$id` already.
        """
        is_object = isinstance(schema, dict)
        if is_object:
            draft = draft_of(schema, draft)
            if not is_entered:
                resolver = resolver.in_subresource(draft.specification.create_resource(schema))
        scope = self._scope(resolver)
        self.meter.charge(STEPS_PER_DOCUMENT * len(scope))
        key = (id(cast("object", schema)), scope)
        node = self.nodes.get(key)
        if node is not None:
            node.is_shared = True
            return node
        self.meter.charge(STEPS_PER_SCHEMA)
        node = self.nodes[key] = SchemaNode(schema)
        if schema is False:
            node.keywords = (Nothing(),)
        elif is_object:
            self.waiting.append((node, cast("Schema", schema), resolver, draft))
        return node

    def refer(self, reference: str, resolver: Resolver, draft: Draft) -> SchemaNode:
        """Return the node that a reference leads to."""
        try:
            found = resolver.lookup(reference)
        except (Unresolvable, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SchemaError(f"is not a JSON Schema: the reference {reference[:200]!r} leads nowhere in it") from error
        node = self.node(found.contents, found.resolver, draft, is_entered=True)
        node.is_shared = True
        return node

    def pattern(self, source: str) -> Pattern:
        """Return a compiled pattern."""
        if source not in self.patterns:
            self.patterns[source] = Pattern(source, self.meter)
        return self.patterns[source]

    def _scope(self, resolver: Resolver) -> tuple[str, ...]:
        """Return what dynamic references depend on: the documents that led here, from the outermost."""
        if not self.is_dynamic:
            return ()
        uris = [uri for uri, _ in resolver.dynamic_scope()]
        return tuple(dict.fromkeys(reversed([resolver._base_uri, *uris])))  # pyright: ignore[reportPrivateUsage]


class _Keywords:
    """The keywords of one schema."""

    def __init__(self, builder: Builder, schema: Schema, resolver: Resolver, draft: Draft) -> None:
        self.builder = builder
        self.schema = schema
        self.resolver = resolver
        self.draft = draft
        self.year = draft.year

    def all(self, node: SchemaNode) -> list[Keyword]:
        """Build them, the cheap ones first."""
        references = list(self.references())
        if references and self.draft.ignores_beside_reference:
            node.alias = references[0]
            return []
        found = [*self.scalars(), *self.lengths(), *self.objects(), *self.lists(), *self.combinations()]
        if references and not found and len(references) == 1 and not self.unevaluated_names():
            node.alias = references[0]
            return []
        found += [AllOf(references)] if references else []
        return [*found, *self.unevaluated(found)]

    def sub(self, schema: object) -> SchemaNode:
        """Return the node of a schema inside this one."""
        return self.builder.node(schema, self.resolver, self.draft)

    def subs(self, name: str) -> list[SchemaNode]:
        """Return the nodes of a list of schemas."""
        return [self.sub(schema) for schema in self.schema[name]]

    def named(self, name: str) -> dict[str, SchemaNode]:
        """Return the nodes of an object of schemas."""
        return {key: self.sub(schema) for key, schema in cast("Schema", self.schema.get(name, {})).items()}

    def optional(self, name: str) -> SchemaNode | None:
        """Return the node of a schema that may be missing."""
        return self.sub(self.schema[name]) if name in self.schema else None

    def references(self) -> Iterable[SchemaNode]:
        """`$ref`, `$dynamicRef` and `$recursiveRef`."""
        schema, resolver = self.schema, self.resolver
        if isinstance(schema.get("$ref"), str):
            yield self.builder.refer(schema["$ref"], resolver, self.draft)
        if self.year == 2020 and "$dynamicRef" in schema:
            yield self.builder.refer(schema["$dynamicRef"], resolver, self.draft)
        if self.year == 2019 and "$recursiveRef" in schema:
            yield self.recursive()

    def recursive(self) -> SchemaNode:
        """`$recursiveRef`: the outermost document that may be extended."""
        from referencing.jsonschema import lookup_recursive_ref

        found = lookup_recursive_ref(self.resolver)
        node = self.builder.node(found.contents, found.resolver, self.draft, is_entered=True)
        node.is_shared = True
        return node

    def scalars(self) -> Iterable[Keyword]:
        """Keywords about the value as a whole, numbers and texts."""
        schema, meter = self.schema, self.builder.meter
        if "type" in schema:
            yield Type(schema["type"], self.year == 4)
        if "enum" in schema:
            yield Enum(schema["enum"], meter, is_const=False)
        if "const" in schema and self.year > 4:
            yield Enum([schema["const"]], meter, is_const=True)
        yield from self.bounds()
        if "multipleOf" in schema:
            yield MultipleOf(schema["multipleOf"])
        if "format" in schema:
            yield Format("format", self.alone("format"))
        for name in ("contentEncoding", "contentMediaType") if self.year in (6, 7) else ():
            if name in schema:
                yield Format(name, self.alone(name))

    def alone(self, name: str) -> Schema:
        """Return a keyword as a schema of its own, in this draft."""
        return {"$schema": self.draft.uri, name: self.schema[name]}

    def bounds(self) -> Iterable[Keyword]:
        """`minimum` and `maximum`; in draft 4 they are exclusive where a second keyword says so."""
        for name in ("minimum", "maximum"):
            exclusive = f"exclusive{name.capitalize()}"
            if name in self.schema:
                is_exclusive = self.year == 4 and self.schema.get(exclusive) is True
                yield Bound(exclusive if is_exclusive else name, self.schema[name])
            if exclusive in self.schema and self.year > 4:
                yield Bound(exclusive, self.schema[exclusive])

    def lengths(self) -> Iterable[Keyword]:
        """Numbers of characters, items and properties; patterns."""
        for name, (kind, is_least) in LENGTHS.items():
            if name in self.schema:
                yield Length(kind, self.schema[name], is_least)
        if "pattern" in self.schema:
            yield Matches(self.builder.pattern(self.schema["pattern"]))

    def objects(self) -> Iterable[Keyword]:
        """Keywords about objects."""
        schema = self.schema
        if "required" in schema:
            yield Required(schema["required"])
        if "dependentRequired" in schema and self.year >= 2019:
            yield DependentRequired({name: Required(names) for name, names in schema["dependentRequired"].items()})
        if "dependentSchemas" in schema and self.year >= 2019:
            yield DependentSchemas(self.named("dependentSchemas"))
        if "dependencies" in schema:
            yield from self.dependencies(schema["dependencies"])
        if "properties" in schema or "patternProperties" in schema or "additionalProperties" in schema:
            patterns = [(self.builder.pattern(key), node) for key, node in self.named("patternProperties").items()]
            yield Properties(self.named("properties"), patterns, self.optional("additionalProperties"))
        if "propertyNames" in schema and self.year > 4:
            yield PropertyNames(self.sub(schema["propertyNames"]))

    def dependencies(self, given: Schema) -> Iterable[Keyword]:
        """`dependencies` of the drafts up to 7: names or a schema for each property; later ones still read it."""
        names = {name: Required(cast("list[str]", each)) for name, each in given.items() if isinstance(each, list)}
        schemas = {name: self.sub(each) for name, each in given.items() if not isinstance(each, list)}
        if names:
            yield DependentRequired(names)
        if schemas:
            yield DependentSchemas(schemas)

    def lists(self) -> Iterable[Keyword]:
        """Keywords about lists."""
        schema = self.schema
        yield from self.items()
        if "contains" in schema and self.year > 4:
            has_bounds = self.year >= 2019
            least, most = (schema.get("minContains"), schema.get("maxContains")) if has_bounds else (None, None)
            yield Contains(self.sub(schema["contains"]), least, most, has_bounds)
        if schema.get("uniqueItems") is True:
            yield UniqueItems()

    def items(self) -> Iterable[Keyword]:
        """`items`, which was a list until 2019, with the schema of further items beside it."""
        schema = self.schema
        if self.year == 2020:
            if "prefixItems" in schema or "items" in schema:
                yield Items(self.subs("prefixItems") if "prefixItems" in schema else [], self.optional("items"))
        elif isinstance(schema.get("items"), list):
            yield Items(self.subs("items"), self.optional("additionalItems"), is_additional=True)
        elif "items" in schema:
            yield Items([], self.sub(schema["items"]))

    def combinations(self) -> Iterable[Keyword]:
        """Keywords that combine schemas."""
        schema = self.schema
        for name, keyword in COMBINED.items():
            if name in schema:
                yield keyword(self.subs(name))
        if "not" in schema:
            yield Not(self.sub(schema["not"]))
        if "if" in schema and self.year >= 7:
            yield IfThenElse(self.sub(schema["if"]), self.optional("then"), self.optional("else"))

    def unevaluated_names(self) -> list[str]:
        """Return which of the two keywords this schema has."""
        names = ("unevaluatedProperties", "unevaluatedItems") if self.year >= 2019 else ()
        return [name for name in names if name in self.schema]

    def unevaluated(self, beside: list[Keyword]) -> Iterable[Keyword]:
        """What is left over by the keywords beside."""
        for name in self.unevaluated_names():
            kind = dict if name == "unevaluatedProperties" else list
            yield Unevaluated(self.sub(self.schema[name]), list(beside), kind)


def _shorten_aliases(node: SchemaNode) -> None:
    """Let references to references lead to their end at once; one that leads to itself asks for nothing."""
    passed: list[SchemaNode] = []
    met: set[int] = set()
    end = node
    while end.alias is not None and id(end) not in met:
        met.add(id(end))
        passed.append(end)
        end = end.alias
    if end.alias is not None:
        end = SchemaNode(True)
    for each in passed:
        each.alias = end


def _mentions(value: object, names: Iterable[str]) -> bool:
    """Whether a document has a key of these anywhere."""
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if any(name in item for name in names):
                return True
            waiting += cast("Schema", item).values()
        elif isinstance(item, list):
            waiting += cast("list[Any]", item)
    return False
