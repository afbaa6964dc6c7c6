"""Deploy process definitions and look them up."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.exc import IntegrityError

from bpm.bus import Command, Context, EffectContext, Id, Moment, Page, PagedQuery, Query, Registry, View, handles
from bpm.errors import Conflict, Invalid, NotFound
from bpm.process import CompiledProcess, load, tables
from bpm.process.tables import DeployedProcess
from bpm.security.permissions import SYSTEM, Principal
from scripts import Sandbox

Xml = Annotated[str, Field(min_length=1, max_length=1024 * 1024)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=2000)]
Category = Annotated[str, Field(max_length=100)]
TriggerEvents = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=50)]


class ProcessDefinitionView(View):
    """One version of a process definition."""

    id: int
    key: str
    version: int
    name: str
    description: str
    category: str | None
    trigger_events: list[str]
    is_active: bool
    metadata: dict[str, Any] | None
    created_at: Moment
    updated_at: Moment | None


class ProcessDefinitionDetailView(ProcessDefinitionView):
    """One version with its diagram."""

    bpmn_xml: str


class CreateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Deploy a BPMN 2.0 process; one whose process id is known already becomes its next version.

    Everything the engine would not execute is refused, each problem with its element's id and line. Script tasks
    need `code:write` of whoever deploys them.
    """

    permission = "processes:write"
    aliases = ("CreateProcessDefinitiionCommand",)
    succeeded = "Process definition created successfully"
    failed = "Validation failed"

    name: Name
    description: Description = ""
    category: Category | None = None
    bpmn_xml: Xml
    trigger_events: TriggerEvents = Field(default_factory=list[str])
    is_active: bool = True
    metadata: dict[str, Any] | None = None


@handles
async def create(
    command: CreateProcessDefinitionCommand, context: EffectContext, registry: Registry, sandbox: Sandbox
) -> ProcessDefinitionView:
    """Compile, check what the tasks ask for, and keep the next version."""
    process = await deployable(command.bpmn_xml, context.principal, registry, sandbox)
    return await context.conclude(lambda inner: _deploy(command, inner, process))


class UpdateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Deploy a new version of the definition `id`; running instances stay on theirs.

    What is left out, or null, stays as it is in that definition.
    """

    permission = "processes:write"
    succeeded = "Process definition updated successfully"
    failed = "Update failed"

    id: Id
    name: Name | None = None
    description: Description | None = None
    category: Category | None = None
    bpmn_xml: Xml | None = None
    trigger_events: TriggerEvents | None = None
    is_active: bool | None = None
    metadata: dict[str, Any] | None = None


@handles
async def update(
    command: UpdateProcessDefinitionCommand, context: EffectContext, registry: Registry, sandbox: Sandbox
) -> ProcessDefinitionView:
    """Take over what is not given from the version that is named."""
    xml = command.bpmn_xml or (await context.read(lambda inner: found(inner, command.id).bpmn_xml))
    author = context.principal if command.bpmn_xml is not None else SYSTEM
    process = await deployable(xml, author, registry, sandbox)

    def next_version(inner: Context) -> ProcessDefinitionView:
        known = found(inner, command.id)
        if process.id != known.key:
            raise Invalid(f"bpmnXml: the process is called {process.id}, the definition is of {known.key}")
        given = command.model_dump(exclude_none=True, exclude={"id"})
        kept = {name: getattr(known, "metadata_" if name == "metadata" else name) for name in _CARRIED}
        return _deploy(CreateProcessDefinitionCommand.model_validate({**kept, **given}), inner, process)

    return await context.conclude(next_version)


class ActivateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Let a version start instances."""

    permission = "processes:write"
    succeeded = "Process definition activated successfully"
    failed = "Activation failed"

    id: Id


@handles
def activate(command: ActivateProcessDefinitionCommand, context: Context) -> ProcessDefinitionView:
    """Switch it on."""
    return _switch(context, command.id, active=True)


class DeactivateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Keep a version from starting instances; running ones go on."""

    permission = "processes:write"
    succeeded = "Process definition deactivated successfully"
    failed = "Deactivation failed"

    id: Id


@handles
def deactivate(command: DeactivateProcessDefinitionCommand, context: Context) -> ProcessDefinitionView:
    """Switch it off."""
    return _switch(context, command.id, active=False)


class GetProcessDefinitionByIdQuery(Query[ProcessDefinitionDetailView]):
    """Get one version of a definition with its BPMN."""

    permission = "processes:read"
    succeeded = "Process definition retrieved successfully"
    failed = "Process definition not found"

    id: Id


@handles
def get(query: GetProcessDefinitionByIdQuery, context: Context) -> ProcessDefinitionDetailView:
    """Return it."""
    row = found(context, query.id)
    return ProcessDefinitionDetailView.model_validate({**view(row).model_dump(), "bpmn_xml": row.bpmn_xml})


class GetProcessDefinitionListQuery(PagedQuery[Page[ProcessDefinitionView]]):
    """List the versions of definitions; `key` is the BPMN process's id."""

    permission = "processes:read"
    succeeded = "Process definitions retrieved successfully"

    category: str | None = None
    is_active: bool | None = None
    key: str | None = None


@handles
def list_definitions(query: GetProcessDefinitionListQuery, context: Context) -> Page[ProcessDefinitionView]:
    """Return one page, the newest first."""
    columns = {"createdAt": "created_at", "id": "id", "name": "name", "key": "key", "version": "version"}
    statement = tables.select_definitions(query.category, query.is_active, query.key)
    search = ("name", "key", "description")
    return query.page(context, statement, DeployedProcess, view, search=search, sortable=columns)


async def deployable(xml: str, author: Principal, registry: Registry, sandbox: Sandbox) -> CompiledProcess:
    """Return the compiled process; raises `Invalid` with everything that would keep it from running.

    Its scripts will run whoever starts it, so its author must be allowed to write code.
    """
    process = load(xml)
    needed = registry.find("ExecuteCodeCommand").message_type.permission
    problems = [
        f"'{element}': no command is named {name}; register it, or correct the task's type"
        for element, name in process.commands.items()
        if not registry.knows(name)
    ]
    for element, source in process.scripts.items():
        if not author.allows(needed):
            problems.append(f"'{element}': a script needs {needed}, which {author.name} does not have")
        check = await sandbox.check(source)
        problems += [f"'{element}': line {p.line}, column {p.column}: {p.message}" for p in check.problems]
    if problems:
        raise Invalid(*problems)
    return process


def found(context: Context, definition_id: int) -> DeployedProcess:
    """Return a version of the caller's organisation, or raise `NotFound`."""
    row = tables.find_definition(context.session, definition_id)
    if row is None:
        raise NotFound(f"there is no process definition {definition_id}")
    return row


def view(row: DeployedProcess) -> ProcessDefinitionView:
    """Show a version."""
    return ProcessDefinitionView.model_validate({**row.model_dump(), "metadata": row.metadata_})


_CARRIED = ("name", "description", "category", "bpmn_xml", "trigger_events", "is_active", "metadata")


def _deploy(
    command: CreateProcessDefinitionCommand, context: Context, process: CompiledProcess
) -> ProcessDefinitionView:
    newest = tables.newest_definition(context.session, process.id)
    row = DeployedProcess(
        key=process.id,
        version=newest.version + 1 if newest is not None else 1,
        name=command.name,
        description=command.description,
        category=command.category,
        bpmn_xml=command.bpmn_xml,
        trigger_events=command.trigger_events,
        start_messages=list(process.start_messages),
        is_active=command.is_active,
        metadata_=command.metadata,
        author_id=context.principal.id,
        created_at=context.now(),
    )
    context.session.add(row)
    try:
        context.session.flush()
    except IntegrityError as error:
        raise Conflict("another version was deployed at the same moment; try again") from error
    return view(row)


def _switch(context: Context, definition_id: int, *, active: bool) -> ProcessDefinitionView:
    row = found(context, definition_id)
    if row.is_active == active:
        raise Conflict(f"Process definition is already {'active' if active else 'inactive'}")
    row.is_active, row.updated_at = active, context.now()
    return view(row)
