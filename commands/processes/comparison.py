"""What differs between two versions of a process, or of a decision."""

from collections.abc import Sequence
from itertools import takewhile
from operator import eq

from bpm.bus import Context, Id, Query, View, WireModel, handles
from bpm.model_files.comparison import Change, ElementDifference
from bpm.process.runtime import ProcessRuntime
from commands.processes.decisions import get_decision
from commands.processes.definitions import get_definition
from commands.processes.shown_source import shown_source

MAX_ELEMENTS, MAX_FIELDS, MAX_TEXT = 500, 20, 1_000
BEFORE_DIFFERENCE = 100
"""How much of two long texts that begin alike is shown before they differ."""


class FieldDifferenceView(View):
    """A field of an element that differs."""

    path: str
    """Which one, such as `timerEventDefinition.timeDuration`; `position` is the place of a rule that moved."""
    before: str | None
    """What it was, 1,000 characters around the first difference; null where there was none."""
    after: str | None
    """What it is, likewise; null where it is gone."""


class ElementDifferenceView(View):
    """An element that one version has and the other has not, or has otherwise."""

    element_id: str
    """Its id in the file; empty for the file itself."""
    name: str
    """What it is called; empty if it has no name."""
    kind: str
    """What it is, as the file writes it: `userTask`, `sequenceFlow`, `rule`."""
    change: Change
    """Whether the later version has it alone, the earlier one alone, or both and not alike."""
    fields: list[FieldDifferenceView]
    """The first 20 fields that differ."""
    field_count: int
    """How many fields differ."""


class VersionDifferencesView(View):
    """What differs between two versions."""

    elements: list[ElementDifferenceView]
    """The first 500, in the order of the later file; those that are gone stand last."""
    added: int
    """How many elements only the later version has."""
    removed: int
    """How many elements only the earlier version has."""
    changed: int
    """How many elements both have and that differ."""


class ComparedVersions(WireModel):
    """Two versions that were deployed."""

    before_id: Id
    """The id of the earlier version."""
    after_id: Id
    """The id of the later version."""


class CompareProcessDefinitionsQuery(Query[VersionDifferencesView], ComparedVersions):
    """Say what differs between two versions of a process, element by element.

    The files are compared as a whole, without their drawings. An element is found again by its id. Of who may not
    deploy, secrets in the files are hidden, so that one which changed is no difference.
    """

    permission = "processes:read"
    succeeded = "Process definitions compared"
    failed = "Process definition not found"


@handles
def compare_definitions(
    query: CompareProcessDefinitionsQuery, context: Context, processes: ProcessRuntime
) -> VersionDifferencesView:
    """Compare their files."""
    stored = [get_definition(context, each).bpmn_xml for each in (query.before_id, query.after_id)]
    return _compare(context, processes, stored)


class CompareDecisionDefinitionsQuery(Query[VersionDifferencesView], ComparedVersions):
    """Say what differs between the files of two versions of a decision: tables, columns, rules and expressions.

    A rule is found again by its id. One that stands elsewhere among the others has `position` among its fields.
    """

    permission = "processes:read"
    succeeded = "Decisions compared"
    failed = "Decision not found"


@handles
def compare_decisions(
    query: CompareDecisionDefinitionsQuery, context: Context, processes: ProcessRuntime
) -> VersionDifferencesView:
    """Compare their files."""
    stored = [get_decision(context, each).dmn_xml for each in (query.before_id, query.after_id)]
    return _compare(context, processes, stored)


def _compare(context: Context, processes: ProcessRuntime, stored: Sequence[str]) -> VersionDifferencesView:
    before, after = (shown_source(each, context) for each in stored)
    found = processes.comparisons.compare(context, before, after)
    changes = [each.change for each in found]
    return VersionDifferencesView(
        elements=[_view(each) for each in found[:MAX_ELEMENTS]],
        added=changes.count("added"),
        removed=changes.count("removed"),
        changed=changes.count("changed"),
    )


def _view(element: ElementDifference) -> ElementDifferenceView:
    fields: list[FieldDifferenceView] = []
    for each in element.fields[:MAX_FIELDS]:
        before, after = _excerpts(each.before, each.after)
        fields.append(FieldDifferenceView(path=each.path, before=before, after=after))
    return ElementDifferenceView(
        element_id=element.id,
        name=element.name,
        kind=element.kind,
        change=element.change,
        fields=fields,
        field_count=len(element.fields),
    )


def _excerpts(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Return both texts, or of long ones what stands around their first difference."""
    if before is None or after is None:
        return _excerpt(before, 0), _excerpt(after, 0)
    alike = sum(1 for _ in takewhile(bool, map(eq, before, after)))
    return _excerpt(before, alike), _excerpt(after, alike)


def _excerpt(text: str | None, difference: int) -> str | None:
    if text is None or len(text) <= MAX_TEXT:
        return text
    start = max(0, min(difference - BEFORE_DIFFERENCE, len(text) - MAX_TEXT))
    end = start + MAX_TEXT
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
