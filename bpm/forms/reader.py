"""The JSON of a form -> `Form`: every component is known, and every pattern and expression is compiled."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from bpm.expressions import ExpressionError, compile_expression
from bpm.forms.form import Form, FormField, Setting
from bpm.metering import Meter, OverBudget
from bpm.model_files.names import MAX_NAME, is_name
from bpm.model_files.problems import BpmnProblem, InvalidDefinition
from bpm.schemas import MAX_SCHEMA_STEPS, SchemaError
from bpm.schemas.leaves import Pattern
from bpm.spelling import nearest
from bpm.strict_json import parse_json

MAX_COMPONENTS = 1_000
MAX_DEPTH = 20

VALUES = {
    "textfield": {"required", "minLength", "maxLength", "pattern", "validationType"},
    "textarea": {"required", "minLength", "maxLength"},
    "number": {"required", "min", "max"},
    "checkbox": {"required"},
    "radio": {"required"},
    "select": {"required"},
    "checklist": {"required"},
    "taglist": {"required"},
    "datetime": {"required"},
}
"""The components that are given a value, and what each may ask of it."""
CHOICES = frozenset({"radio", "select", "checklist", "taglist"})
HOLDERS = frozenset({"group", "dynamiclist"})
DRAWN = frozenset({
    "text", "html", "image", "button", "separator", "spacer", "table", "iframe", "documentPreview", "expression",
})  # fmt: skip
"""The components that clients draw and that are given nothing; what an `expression` comes to is a client's, too."""
REFUSED = {"filepicker": "files are not kept; send a file to where it belongs, and give the task its address"}
VALIDATION_TYPES = ("custom", "email", "phone")
SUBTYPES = ("date", "time", "datetime")


def read_form(source: str) -> Form:
    """Read a form; raises InvalidDefinition with everything that would not be checked as it says."""
    return _Reader().form(_root(source))


def _root(source: str) -> Mapping[str, Any]:
    try:
        root = parse_json(source.encode())
    except ValueError as error:
        raise InvalidDefinition([BpmnProblem(f"the form is not JSON: {error}")]) from error
    if not isinstance(root, dict):
        raise InvalidDefinition([BpmnProblem("the form is not a JSON object")])
    return cast("dict[str, Any]", root)


class _Reader:
    """Reads one form, gathering its problems."""

    def __init__(self) -> None:
        self.problems: list[BpmnProblem] = []
        self.components = 0
        self.meter = Meter(MAX_SCHEMA_STEPS, work="compiling the form")

    def form(self, root: Mapping[str, Any]) -> Form:
        name, tag = root.get("id"), root.get("versionTag", "")
        if not isinstance(name, str) or not is_name(name):
            self.problem({}, f"the form has no id of at most {MAX_NAME} characters")
        if not isinstance(tag, str) or len(tag) > MAX_NAME:
            self.problem({}, f"its versionTag is not a text of at most {MAX_NAME} characters")
        if root.get("type", "default") != "default":
            self.problem({}, "its type is not 'default'; it is no form")
        fields = tuple(self.components_of(root, 1))
        if self.problems:
            raise InvalidDefinition(self.problems)
        return Form(str(name), str(tag), fields, frozenset(_names(root)))

    def problem(self, component: Mapping[str, Any], message: str) -> None:
        """Note what is wrong with a component."""
        name = component.get("key") or component.get("path") or component.get("id") or ""
        self.problems.append(BpmnProblem(message, str(name), label_of(component)))

    def components_of(self, holder: Mapping[str, Any], depth: int) -> Iterator[FormField]:
        """Read the components of a form, a group or a list."""
        components = holder.get("components", [])
        if not isinstance(components, list):
            self.problem(holder, "its components are not a list")
            return
        for component in cast("list[Any]", components):
            self.components += 1
            if self.components > MAX_COMPONENTS or depth > MAX_DEPTH:
                why = f"a form has at most {MAX_COMPONENTS} components, {MAX_DEPTH} levels deep"
                raise InvalidDefinition([BpmnProblem(why)])
            if not isinstance(component, dict):
                self.problem(holder, "one of its components is not an object")
            elif (read := self.component(cast("dict[str, Any]", component), depth)) is not None:
                yield read

    def component(self, component: Mapping[str, Any], depth: int) -> FormField | None:
        """Read a component; None for one that is given no value."""
        kind = component.get("type")
        if not isinstance(kind, str) or kind not in {*VALUES, *HOLDERS, *DRAWN}:
            self.problem(component, _unknown_type(kind))
        elif kind in HOLDERS:
            return self.holder(kind, component, depth)
        elif kind in VALUES:
            return self.value(kind, component)
        return None

    def holder(self, kind: str, component: Mapping[str, Any], depth: int) -> FormField:
        path = component.get("path", "")
        if not isinstance(path, str) or (kind == "dynamiclist" and not path):
            self.problem(component, "its path is not a text")
            path = ""
        return FormField(
            kind=kind,
            path=_path(path),
            label=label_of(component),
            hidden=self.hidden(component),
            inner=tuple(self.components_of(component, depth + 1)),
            names=frozenset(_names(component)),
        )

    def value(self, kind: str, component: Mapping[str, Any]) -> FormField:
        key = component.get("key")
        if not isinstance(key, str) or not key or not all(_path(key)):
            self.problem(component, "it has no key, which is the variable of its value")
            key = "?"
        validate = self.validation(kind, component)
        subtype = component.get("subtype", "") if kind == "datetime" else validate.get("validationType", "")
        if kind == "datetime" and subtype not in SUBTYPES:
            self.problem(component, f"its subtype is not one of {', '.join(SUBTYPES)}")
        return FormField(
            kind=kind,
            path=_path(key),
            label=label_of(component),
            subtype=str(subtype),
            hidden=self.hidden(component),
            locked=self.either(component, "disabled", "readonly"),
            rules=self.rules(kind, component, validate),
            pattern=self.pattern(component, validate.get("pattern")),
            options=self.options(component) if kind in CHOICES else None,
            is_text=kind != "number" or component.get("serializeToString") is True,
        )

    def validation(self, kind: str, component: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a component asks of its value; a word that means nothing for its type is refused."""
        validate: object = component.get("validate", {})
        if not isinstance(validate, dict):
            self.problem(component, "its validate is not an object")
            return {}
        found = cast("dict[str, Any]", validate)
        for word in found.keys() - VALUES[kind]:
            meant = nearest(word, VALUES[kind])
            hint = f"; '{meant[0]}' may be meant" if meant else ""
            self.problem(component, f"'{word}' of its validate is not known for a {kind}{hint}")
        if found.get("validationType", "custom") not in VALIDATION_TYPES:
            self.problem(component, f"its validationType is not one of {', '.join(VALIDATION_TYPES)}")
        return found

    def rules(self, kind: str, component: Mapping[str, Any], validate: Mapping[str, Any]) -> dict[str, Setting]:
        """What is asked of a value, each a constant or an expression."""
        words = VALUES[kind] - {"pattern", "validationType"}
        asked = {word: validate[word] for word in words if validate.get(word) is not None}
        rules = {word: self.setting(component, word, value) for word, value in asked.items()}
        if kind == "number" and component.get("decimalDigits") is not None:
            rules["decimalDigits"] = self.setting(component, "decimalDigits", component["decimalDigits"])
        if kind == "datetime" and component.get("disallowPassedDates") is True:
            rules["disallowPassedDates"] = lambda _: True
        return rules

    def setting(self, component: Mapping[str, Any], word: str, value: object) -> Setting:
        """A value as it stands there, or an expression."""
        if not isinstance(value, str) or not value.startswith("="):
            return lambda _: value
        try:
            return compile_expression(value, "null").evaluate
        except ExpressionError as error:
            self.problem(component, f"its {word}: {error}")
            return lambda _: None

    def hidden(self, component: Mapping[str, Any]) -> Setting | None:
        """When a component is not shown."""
        conditional = component.get("conditional")
        if conditional is None:
            return None
        hide = cast("dict[str, Any]", conditional).get("hide") if isinstance(conditional, dict) else None
        if not isinstance(hide, str):
            self.problem(component, "its conditional says nothing of when to hide it")
            return None
        return self.setting(component, "condition", hide if hide.startswith("=") else f"={hide}") if hide else None

    def either(self, component: Mapping[str, Any], *words: str) -> Setting | None:
        """Whether one of several settings is true."""
        settings = [self.setting(component, word, component[word]) for word in words if component.get(word)]
        return (lambda scope: any(setting(scope) is True for setting in settings)) if settings else None

    def pattern(self, component: Mapping[str, Any], source: object) -> Pattern | None:
        """The regular expression that a text must match."""
        if not source:
            return None
        try:
            return Pattern(str(source), self.meter)
        except (SchemaError, OverBudget):
            self.problem(component, f"its pattern '{source!s:.200}' is not one that can be matched in linear time")
            return None

    def options(self, component: Mapping[str, Any]) -> Setting | None:
        """The list that a value is chosen from: written down, a variable, or an expression."""
        given = [word for word in ("values", "valuesKey", "valuesExpression") if component.get(word)]
        if len(given) != 1:
            self.problem(component, "it names no options; write one of values, valuesKey and valuesExpression")
            return None
        source: Any = component[given[0]]
        if (given[0] == "values") != isinstance(source, list):
            self.problem(component, f"its {given[0]} are not what they must be: values a list, the others a text")
        if given[0] == "valuesKey":
            path = _path(source) if isinstance(source, str) else ()
            return lambda scope: value_at(scope, path)
        return self.setting(component, given[0], source)


def _unknown_type(kind: object) -> str:
    if isinstance(kind, str) and kind in REFUSED:
        return f"a {kind} is not executed: {REFUSED[kind]}"
    meant = nearest(kind, [*VALUES, *HOLDERS, *DRAWN]) if isinstance(kind, str) else []
    hint = f"; '{meant[0]}' may be meant" if meant else ""
    return f"its type {kind!r:.100} is none of a form's components{hint}"


def label_of(component: Mapping[str, Any]) -> str:
    """What people see beside a component."""
    label = component.get("label")
    return " ".join(label.split())[:MAX_NAME] if isinstance(label, str) else ""


def value_at(values: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value that a path leads to; None if there is none."""
    found: Any = values
    for name in path:
        found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
    return found


def _names(holder: Mapping[str, Any]) -> Iterator[str]:
    """The variables that components give, those in groups without a path as well."""
    components: object = holder.get("components")
    for component in cast("list[Any]", components) if isinstance(components, list) else ():
        about = cast("dict[str, Any]", component) if isinstance(component, dict) else {}
        if isinstance(name := about.get("key") or about.get("path"), str):
            yield name.partition(".")[0]
        elif about.get("type") == "group":
            yield from _names(about)


def _path(key: str) -> tuple[str, ...]:
    return tuple(key.split(".")) if key else ()
