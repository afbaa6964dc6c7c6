"""Compiles what an element says about the version of the process or decision that it names."""

from bpm.bpmn.binding import BINDING_KINDS, LATEST, Binding, BindingKind
from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.reader.extensions import Bound
from bpm.model_files.names import MAX_NAME

MAX_DIGITS = 9


def read_binding(element: Element, compilation: Compilation) -> Binding:
    """Return which version is meant: the newest, unless the element says otherwise."""
    bound = element.extensions.bound
    if bound is None:
        return LATEST
    kind = bound.kind or _kind_of(bound)
    if problem := _problem(kind, bound):
        compilation.problem(element, problem)
        return LATEST
    return Binding(_KINDS[kind], {"version": bound.version, "versionTag": bound.tag}.get(kind, ""))


_KINDS: dict[str, BindingKind] = {kind: kind for kind in BINDING_KINDS}


def _kind_of(bound: Bound) -> str:
    """The kind of a binding that is not named but follows from what is."""
    return "version" if bound.version else "versionTag" if bound.tag else "latest"


def _problem(kind: str, bound: Bound) -> str:
    """What is wrong with a binding; empty if nothing is."""
    if kind not in _KINDS:
        return f"its binding '{kind}' is not one of {', '.join(BINDING_KINDS)}"
    if bound.version and kind != "version":
        return f"its binding is {kind}, but it names version {bound.version} as well; leave out one of the two"
    if bound.tag and kind != "versionTag":
        return f"its binding is {kind}, but it names the version tag {bound.tag} as well; leave out one of the two"
    if kind == "version":
        return _problem_of_version(bound.version)
    return _problem_of_tag(bound.tag) if kind == "versionTag" else ""


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
