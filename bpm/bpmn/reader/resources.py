"""Who is to do a user task, in BPMN's own words: `humanPerformer` and `potentialOwner` (BPMN 2.0.2, 10.3.1 and 10.3.4).

What a formal expression names is the vendors' convention: `user(kermit), group(sales)`, a bare name being a group's.
"""

import re
from collections.abc import Iterator
from typing import Any

from bpm.model_files.xml import Tag

_RESOURCES = frozenset({"humanPerformer", "performer", "potentialOwner"})
_NAMED = re.compile(r"\s*(?:(user|group)\s*\(([^)]*)\)|([^,\s][^,]*))")


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


def _expression(resource: Tag) -> str:
    assignment = resource.first("resourceAssignmentExpression")
    expression = next(iter(assignment.children), None) if assignment else None
    return expression.text.strip() if expression else ""


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Each name with its kind; an expression is a group's name as a whole."""
    if text.startswith(("=", "${", "#{")):
        yield "group", text
        return
    for match in _NAMED.finditer(text):
        yield match[1] or "group", (match[2] or match[3] or "").strip()
