"""Compiles what an element says about the version of the process, decision or form that it names."""

from bpm.bpmn.binding import BINDING_KINDS, LATEST, Binding, BindingKind
from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.reader.extensions import NamedVersion
from bpm.model_files.names import MAX_NAME

MAX_DIGITS = 9
"""Maximum digits of a version: every database can compare these."""
_KINDS: dict[str, BindingKind] = {kind: kind for kind in BINDING_KINDS}


def read_binding(element: Element, compilation: Compilation) -> Binding:
    """Return which version is meant: the newest, unless the element says otherwise."""
    return bind(element.extensions.named_version, element, compilation)


def bind(named: NamedVersion | None, element: Element, compilation: Compilation) -> Binding:
    """Return which version is meant by what an element says about one."""
    if named is None:
        return LATEST
    kind = named.kind or _kind_of(named)
    if problem := _problem(kind, named):
        compilation.problem(element, problem)
        return LATEST
    return Binding(_KINDS[kind], {"version": named.version, "versionTag": named.tag}.get(kind, ""))


def _kind_of(named: NamedVersion) -> str:
    """The kind of a binding that is not named but follows from what is."""
    return "version" if named.version else "versionTag" if named.tag else "latest"


def _problem(kind: str, named: NamedVersion) -> str:
    """What is wrong with a binding; empty if nothing is."""
    if kind not in _KINDS:
        return f"its binding '{kind}' is not one of {', '.join(BINDING_KINDS)}"
    if named.version and kind != "version":
        return f"its binding is {kind}, but it names version {named.version} as well; leave out one of the two"
    if named.tag and kind != "versionTag":
        return f"its binding is {kind}, but it names the version tag {named.tag} as well; leave out one of the two"
    if kind == "version":
        return _problem_of_version(named.version)
    return _problem_of_tag(named.tag) if kind == "versionTag" else ""


def _problem_of_version(text: str) -> str:
    if not text:
        return "its binding is version, but it names none"
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return (
        "" if is_number else f"the version '{text}' that it names is not a whole number of at most {MAX_DIGITS} digits"
    )


def _problem_of_tag(text: str) -> str:
    if not text:
        return "its binding is versionTag, but it names no tag"
    if len(text) > MAX_NAME:
        return f"its version tag is longer than {MAX_NAME} characters"
    is_computed = text.startswith("=") or "${" in text or "#{" in text
    return (
        f"its version tag '{text}' is an expression, which is not executed; write the tag itself" if is_computed else ""
    )
