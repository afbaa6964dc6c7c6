"""A form ready to be checked: its fields, and what is asked of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bpm.schemas.leaves import Pattern

Setting = Callable[[Mapping[str, Any]], Any]
"""A value of the form, or an expression of its author's, asked with the variables."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One place of a form that is given a value, or a group or list of such places.

    `path` leads to the value; that of a group may be empty. `kind` is the component's type, `subtype` that of a
    `datetime`. `hidden` and `locked` say whether it is shown and can be changed, `rules` what its value must satisfy,
    by the word of the form; `options` gives the list that the value is chosen from. `names` are what the components
    of a `dynamiclist` give in each row.
    """

    kind: str
    path: tuple[str, ...]
    label: str
    subtype: str = ""
    hidden: Setting | None = None
    locked: Setting | None = None
    rules: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    pattern: Pattern | None = None
    options: Setting | None = None
    is_text: bool = False
    inner: tuple["FormField", ...] = ()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Form:
    """A form by the id that tasks name it by; `version_tag` is what its author calls this version.

    `names` are the variables that its components give, the computed ones among them.
    """

    id: str
    version_tag: str
    fields: tuple[FormField, ...]
    names: frozenset[str]
