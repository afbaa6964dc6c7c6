"""The types of a model: its item definitions, and the names of types that other versions and vendors use."""

from collections.abc import Callable, Mapping

from bpm.dmn.tags import child, children
from bpm.expressions.kinds import ANY, KINDS, Kind, context_of, function_of, list_of
from bpm.model_files.xml import Tag

_OTHER_NAMES = {
    "integer": "number", "long": "number", "double": "number", "dateTime": "date and time",
    "dayTimeDuration": "days and time duration", "yearMonthDuration": "years and months duration",
}  # fmt: skip
MAX_NESTED = 32

Problem = Callable[[Tag, str], None]


class ItemDefinitions:
    """The types that a file can name."""

    def __init__(self, root: Tag, problem: Problem) -> None:
        self._problem = problem
        self._tags = self._by_name(root, "itemDefinition")
        self._built: dict[str, Kind] = {}
        for name, tag in self._tags.items():
            self._named(name, tag, ())

    def _by_name(self, holder: Tag, word: str) -> Mapping[str, Tag]:
        """The types of a file, or the components of one."""
        found: dict[str, Tag] = {}
        for tag in children(holder, word):
            name = tag.get("name")
            if not name or name in found:
                self._problem(tag, f"the <{word}> '{name}' is given twice" if name else f"the <{word}> has no name")
            found[name] = tag
        return found

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Every type by its name."""
        return {**KINDS, **self._built}

    def of(self, tag: Tag | None, attribute: str = "typeRef") -> Kind:
        """The type that an element refers to; Any where it says nothing."""
        return self._named(tag.get(attribute), tag, ()) if tag else ANY

    def _named(self, reference: str, tag: Tag, path: tuple[str, ...]) -> Kind:
        name = reference if reference in self._tags else reference.rpartition(":")[2]
        if not name:
            return ANY
        if name in self._built:
            return self._built[name]
        if name in path or len(path) > MAX_NESTED:
            self._problem(tag, f"the type '{reference}' is made of itself, or nested too deep")
            return ANY
        if name in self._tags:
            self._built[name] = kind = self._item(self._tags[name], name, (*path, name))
            return kind
        if (found := KINDS.get(_OTHER_NAMES.get(name, name))) is None:
            self._problem(tag, f"the type '{reference}' is neither FEEL's nor defined in the file")
            return ANY
        return found

    def _item(self, tag: Tag, name: str, path: tuple[str, ...]) -> Kind:
        """The type of an item definition, or of a component of one."""
        components, function = children(tag, "itemComponent"), child(tag, "functionItem")
        if components:
            parts = self._by_name(tag, "itemComponent")
            entries = {part: self._item(of, "", path) for part, of in parts.items()}
            kind: Kind = context_of(entries, name)
        elif function is not None:
            kind = self._function(function, name, path)
        else:
            reference = child(tag, "typeRef")
            kind = self._named(reference.text.strip(), tag, path) if reference else ANY
        if tag.get("isCollection") in ("true", "1"):
            return list_of(kind, name)
        return kind

    def _function(self, tag: Tag, name: str, path: tuple[str, ...]) -> Kind:
        parameters = tuple(self._named(each.get("typeRef"), each, path) for each in children(tag, "parameters"))
        return function_of(parameters, self._named(tag.get("outputTypeRef"), tag, path), name)
