"""Look process definitions up."""

from typing import Annotated, Any

from bpm.bus import Context, Id, Moment, Page, PagedQuery, Query, View, handles
from bpm.errors import Conflict, Forbidden, NotFound
from bpm.process import definition_tables
from bpm.process.definition_tables import DeployedProcess
from bpm.process.sealing import restored_gaps
from bpm.process.start_triggers import self_starter
from bpm.security.secrets import SecretBox
from commands.processes.shown_source import shown_source
from commands.processes.views import Content


class ProcessDefinitionView(View):
    """One version of a process definition.

    `stopped` says why its steps do nothing and nothing begins it any more: who of those that it acts for may no
    longer start processes. It is null while all is well.
    """

    id: int
    key: str
    """The id of the process in its file."""
    version: int
    name: str
    description: str
    category: str | None
    trigger_events: list[str]
    is_active: bool
    metadata: Annotated[dict[str, Any] | None, Content]
    created_at: Moment
    updated_at: Moment | None
    stopped: str | None = None
    """Why it does nothing; null while all is well."""
    is_draft: bool = False
    """Whether it can't be executed yet."""
    version_tag: str | None = None


class ProcessDefinitionDetailView(ProcessDefinitionView):
    """One version with its diagram, and what is missing from it if it is a draft: who may deploy is told."""

    gaps: list[str]
    bpmn_xml: str


class GetProcessDefinitionByIdQuery(Query[ProcessDefinitionDetailView]):
    """Get one version of a definition with its BPMN."""

    permission = "processes:read"
    succeeded = "Process definition retrieved successfully"
    failed = "Process definition not found"

    id: Id


@handles
def get(query: GetProcessDefinitionByIdQuery, context: Context) -> ProcessDefinitionDetailView:
    """Return its diagram and gaps; secrets in them only to those who may deploy."""
    row = get_definition(context, query.id)
    xml = shown_source(row.bpmn_xml, context)
    gaps = restored_gaps(row.gaps, context.box) if context.principal.allows("processes:write") else []
    return ProcessDefinitionDetailView(**_checked(row, context).model_dump(), bpmn_xml=xml, gaps=gaps)


class GetProcessDefinitionListQuery(PagedQuery[Page[ProcessDefinitionView]]):
    """List the versions of definitions; `key` is the BPMN process's id."""

    permission = "processes:read"
    succeeded = "Process definitions retrieved successfully"

    category: str | None = None
    is_active: bool | None = None
    key: str | None = None
    """Those of this process, by its id in the file."""


@handles
def list_definitions(query: GetProcessDefinitionListQuery, context: Context) -> Page[ProcessDefinitionView]:
    """Return one page, the newest first."""
    columns = {"createdAt": "created_at", "id": "id", "name": "name", "key": "key", "version": "version"}
    statement = definition_tables.select_definitions(query.category, query.is_active, query.key)
    search = ("name", "key", "description")

    def to_view(row: DeployedProcess) -> ProcessDefinitionView:
        return _checked(row, context)

    return query.page(
        context, statement, DeployedProcess, to_view, search=search, sortable=columns, unloaded=("bpmn_xml",)
    )


def get_definition(context: Context, definition_id: int) -> DeployedProcess:
    """Return a version of the caller's organisation, or raise `NotFound`."""
    row = definition_tables.find_definition(context.session, definition_id)
    if row is None:
        raise NotFound(f"there is no process definition {definition_id}")
    return row


def view(row: DeployedProcess) -> ProcessDefinitionView:
    """Show a version."""
    about = {**row.model_dump(exclude={"gaps"}), "metadata": row.metadata_, "is_draft": row.gaps is not None}
    return ProcessDefinitionView.model_validate(about)


def refuse_draft(row: DeployedProcess, box: SecretBox) -> None:
    """Raise `Conflict` for a draft."""
    if row.gaps is not None:
        gaps = restored_gaps(row.gaps, box)
        some = "; ".join(gap[:200] for gap in gaps[:3])
        raise Conflict(f"process definition {row.id} is a draft with {len(gaps)} gaps, which can't run: {some}")


def _checked(row: DeployedProcess, context: Context) -> ProcessDefinitionView:
    """Show a version, and whether those that it acts for may still start processes."""
    shown = view(row)
    try:
        context.require(self_starter(row), "processes:write", "Starting a process")
    except Forbidden as refusal:
        shown.stopped = "; ".join(refusal.errors)
    return shown
