"""Who is to do a user task, in BPMN's own words: `humanPerformer` and `potentialOwner` (BPMN 2.0.2, 10.3.1 and 10.3.4).

What a formal expression names is the vendors' convention: `user(kermit), group(sales)`, a bare name being a group's.
"""

import re
from collections.abc import Iterator
from typing import Any

from bpm.bpmn.reader.expression_languages import foreign_language
from bpm.expressions import is_marked
from bpm.model_files.xml import Tag

_RESOURCES = frozenset({"humanPerformer", "performer", "potentialOwner"})
_NAMED = re.compile(r"\s*(?:(user|group)\s*\(([^)]{0,200})\)|([^,\s][^,]*))")


def read_resources(tag: Tag) -> dict[str, Any]:
    """The fields of `Extensions` that a task's resources stand for; empty without any."""
    if not any(child.name in _RESOURCES for child in tag.children):
        return {}
    performers = [*tag.all("humanPerformer"), *tag.all("performer")]
    owners = [named for owner in tag.all("potentialOwner") for named in _names(_expression(owner))]
    fields = {
        "assignee": next((text for text in map(_expression, performers) if text), ""),
        "candidate_users": ",".join(name for kind, name in owners if kind == "user"),
        "candidate_groups": ",".join(name for kind, name in owners if kind == "group"),
    }
    return {name: text for name, text in fields.items() if text}


def find_foreign_resources(tag: Tag) -> Iterator[str]:
    """Say which of a task's resources are expressions in a language that isn't evaluated."""
    for resource in tag.children:
        expression = _assignment(resource) if resource.name in _RESOURCES else None
        if expression and is_marked(expression.text) and (language := foreign_language(expression)):
            yield f"its <{resource.name}> is written in {language}; write FEEL (=a > 1) or ${{a > 1}}"


def _expression(resource: Tag) -> str:
    expression = _assignment(resource)
    return expression.text.strip() if expression else ""


def _assignment(resource: Tag) -> Tag | None:
    assignment = resource.first("resourceAssignmentExpression")
    return next(iter(assignment.children), None) if assignment else None


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Each name with its kind; an expression is a group's name as a whole."""
    if is_marked(text):
        yield "group", text
        return
    for match in _NAMED.finditer(text):
        yield match[1] or "group", (match[2] or match[3] or "").strip()
