"""Words that each say what one element does or waits for, though it can do one thing alone: refused together."""

from collections.abc import Iterator, Mapping

from bpm.bpmn.reader.extensions import Extensions
from bpm.bpmn.reader.misplaced import PLACES
from bpm.model_files.xml import Tag

_WORK = ("command", "expression", "decision")


def find_contradictions(tag: Tag, extensions: Extensions, plain: Mapping[str, str]) -> Iterator[str]:
    """Say what of an element's words can't all be executed; `plain` is what BPMN's own say of the fields."""
    yield from _several_kinds_of_work(tag, extensions)
    if extensions.message and extensions.command:
        yield f"it has the message '{extensions.message}' and the command '{extensions.command}'; leave one of them"
    called = extensions.called.process if extensions.called else ""
    yield from _differing("called process", tag.get("calledElement").rpartition(":")[2], called)
    for name, text in plain.items():
        yield from _differing(PLACES[name][0], text, getattr(extensions, name))


def _several_kinds_of_work(tag: Tag, extensions: Extensions) -> Iterator[str]:
    """Say when a task has several of a command, an expression, a decision and a script."""
    found = [PLACES[name][0] for name in _WORK if getattr(extensions, name)]
    script = tag.first("script")
    is_scripted = tag.name == "scriptTask" and (extensions.script or (script and script.text.strip()))
    if is_scripted:
        found.append("script")
    if script and script.text.strip() and extensions.script:
        found.append("script of its extensions")
    if len(found) > 1:
        yield f"it has two kinds of work, {' and '.join(found)}, of which one alone would be executed; leave one"


def _differing(noun: str, plain: str, vendors: str) -> Iterator[str]:
    if plain and vendors and plain != vendors:
        yield f"its {noun} is given twice, as '{plain:.100}' and as '{vendors:.100}'; leave one of them"
