"""What a dialect writes into while it reads, and the tables it consists of."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bpm.bpmn.reader.extensions import (
    Assignment,
    Called,
    Extensions,
    FormFieldDefinition,
    ListenerDefinition,
    NamedForm,
    NamedVersion,
)
from bpm.bpmn.reader.misplaced import PLACES
from bpm.model_files.xml import Tag


@dataclass(slots=True)
class Fields:
    """The fields of one element's `Extensions` while they are gathered."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    supposed: dict[str, Any] = field(default_factory=dict[str, Any])
    inputs: list[Assignment] | None = None
    outputs: list[Assignment] = field(default_factory=list[Assignment])
    properties: dict[str, str] = field(default_factory=dict[str, str])
    called: dict[str, Any] = field(default_factory=dict[str, Any])
    named_version: dict[str, str] = field(default_factory=dict[str, str])
    form: dict[str, str] = field(default_factory=dict[str, str])
    listeners: list[ListenerDefinition] = field(default_factory=list[ListenerDefinition])
    form_fields: list[FormFieldDefinition] = field(default_factory=list[FormFieldDefinition])
    refusals: list[str] = field(default_factory=list[str])
    mapped: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    said: set[str] = field(default_factory=set[str])
    outvoted: set[str] = field(default_factory=set[str])

    def prefer_what_follows(self) -> None:
        """From now on the words of the file's own platform are read: they count where others differ."""
        self.outvoted, self.said = self.said, set()

    def set(self, name: str, value: Any) -> None:
        """Set a field of `Extensions`; an empty text says nothing."""
        self._set_once(self.values, name, value, PLACES[name][0] if name in PLACES else name.replace("_", " "))

    def suppose(self, name: str, value: Any) -> None:
        """Set a field of `Extensions` for as long as nothing else is said of it."""
        self.supposed.setdefault(name, value)

    def add_input(self, target: str, source: Any, word: str = "input") -> None:
        """Add an input mapping; `word` is what it is called in the file."""
        self.inputs = self.inputs or []
        self.inputs.append(Assignment(target.strip(), source))
        self._map_once(word, target.strip())

    def add_output(self, target: str, source: Any, word: str = "output") -> None:
        """Add an output mapping; `word` is what it is called in the file."""
        self.outputs.append(Assignment(target.strip(), source))
        self._map_once(word, target.strip())

    def call(self, name: str, value: Any) -> None:
        """Set a field of `Called`; an empty text says nothing."""
        if value != "":
            self.called[name] = value

    def call_once(self, name: str, value: str, noun: str) -> None:
        """Set a field of `Called` of which there can only be one; an empty text says nothing."""
        self._set_once(self.called, name, value, noun)

    def bind(self, name: str, value: str) -> None:
        """Set a field of `NamedVersion`; an empty text says nothing."""
        self._set_once(self.named_version, name, value, f"bound {name}")

    def name_form(self, name: str, value: str) -> None:
        """Set the `id` of a form, or a field of its `NamedVersion`; an empty text says nothing."""
        self._set_once(self.form, name, value, f"form's {name}")

    def _set_once(self, values: dict[str, Any], name: str, value: Any, noun: str) -> None:
        if value == "":
            return
        is_outvoted = noun in self.outvoted and noun not in self.said
        if name in values and values[name] != value and not is_outvoted:
            self.refuse(
                f"its {noun} is given twice, as {values[name]!r:.100} and as {value!r:.100}, of which one alone would "
                "be executed"
            )
        values[name] = value
        self.said.add(noun)

    def _map_once(self, word: str, target: str) -> None:
        if (word, target) in self.mapped:
            self.refuse(f"its {word} '{target}' is given twice, of which one alone would be executed")
        self.mapped.add((word, target))

    def refuse(self, sentence: str) -> None:
        """Say what the engine can't execute."""
        self.refusals.append(sentence)

    def check_attributes(self, tag: Tag, known: Collection[str]) -> None:
        """Refuse the attributes of an extension's inner element that are not known."""
        for name in tag.attributes:
            if name not in known:
                self.refuse(f"the attribute '{name.rpartition('}')[2]}' of its <{tag.name}> is not known")

    def check_body(self) -> None:
        """Refuse a field of the body that is mapped as well."""
        mapped = {assignment.target for assignment in self.inputs or ()}
        for name in self.values.get("body") or ():
            if name in mapped:
                self.refuse(f"its input '{name}' is given twice, of which one alone would be executed")

    def extensions(self) -> Extensions:
        """Everything that was gathered."""
        inputs = None if self.inputs is None else tuple(self.inputs)
        return Extensions(
            **{**self.supposed, **self.values},
            inputs=inputs,
            outputs=tuple(self.outputs),
            listeners=tuple(self.listeners),
            form_fields=tuple(self.form_fields),
            called=Called(**self.called) if self.called else None,
            named_version=NamedVersion(**self.named_version) if self.named_version else None,
            form=_form(self.form),
            properties=dict(self.properties),
        )


def _form(named: Mapping[str, str]) -> NamedForm | None:
    version = {name: value for name, value in named.items() if name != "id"}
    return NamedForm(named.get("id", ""), NamedVersion(**version)) if named else None


@dataclass(frozen=True, slots=True)
class Dialect:
    """A vendor's words: attributes that set a field, children that are read, and what is refused with why.

    `readers` are for attributes that do more than set a field. `merges_result`: members of a command's result
    become variables. `harmless` are the words that have no meaning for execution, as attributes or as children;
    `repeated` are the children of which an element may have several; `child_attributes` what may stand on a child, and
    `grandchildren` what in it with which attributes, where that is bounded.
    """

    attributes: Mapping[str, str]
    children: Mapping[str, Callable[[Tag, Fields], None]]
    refused: Mapping[str, str]
    readers: Mapping[str, Callable[[str, Fields], None]] = field(
        default_factory=dict[str, Callable[[str, Fields], None]]
    )
    merges_result: bool = False
    harmless: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    child_attributes: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    grandchildren: Mapping[str, Mapping[str, frozenset[str]]] = field(
        default_factory=dict[str, Mapping[str, frozenset[str]]]
    )

    def knows(self, word: str) -> bool:
        """Whether something is said of a word: how it is read, why it is refused, or that it means nothing here."""
        return any(
            word in words for words in (self.attributes, self.readers, self.children, self.refused, self.harmless)
        )

    @property
    def attribute_words(self) -> list[str]:
        """The attributes that mean something."""
        return sorted({*self.attributes, *self.readers})

    def read_attribute(self, name: str, value: str, fields: Fields) -> None:
        """Read `vendor:name="value"` of the element itself."""
        if name in self.refused:
            fields.refuse(self.refused[name])
        elif name in self.readers:
            self.readers[name](value.strip(), fields)
        elif name in self.attributes:
            fields.set(self.attributes[name], value.strip())
            self._note_merging(fields)
        else:
            fields.properties[name] = value

    def read_child(self, tag: Tag, fields: Fields) -> None:
        """Read one child of `extensionElements`."""
        if tag.name in self.refused:
            fields.refuse(self.refused[tag.name])
        elif tag.name in self.children:
            self.children[tag.name](tag, fields)
            self._note_merging(fields)

    def _note_merging(self, fields: Fields) -> None:
        """Whoever names the command says what becomes of its result."""
        if "command" in fields.values:
            fields.suppose("merges_result", self.merges_result)
