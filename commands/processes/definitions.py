"""Deploy process definitions and look them up."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.exc import IntegrityError

from bpm.bpmn import CompiledProcess, compile_all, load, parse
from bpm.bpmn.compiler.drafts import DraftProcess, read_drafts
from bpm.bus import Command, Context, EffectContext, Id, Moment, Page, PagedQuery, Query, Registry, View, handles
from bpm.errors import Conflict, Forbidden, Invalid, NotFound
from bpm.model_files.problems import sentences_of
from bpm.process import definition_tables
from bpm.process.cache import FreshProcess
from bpm.process.definition_tables import DeployedProcess
from bpm.process.start_triggers import ProcessStarts, self_starter
from bpm.process.stored import restored_gaps, restored_source, stored_gaps, stored_source
from bpm.security.permissions import SYSTEM, Authority
from bpm.security.redaction import SOURCE_NAMES, redacted_xml
from bpm.security.secrets import SecretBox
from commands.processes.checks import check, find_problems
from scripts import Sandbox

Xml = Annotated[str, Field(min_length=1, max_length=1024 * 1024)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=2000)]
Category = Annotated[str, Field(max_length=100)]
TriggerEvents = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=50)]


class ProcessDefinitionView(View):
    """One version of a process definition.

    `stopped` says why its steps do nothing and nothing begins it any more: who of those that it acts for may no
    longer start processes. It is null while all is well.
    """

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
    stopped: str | None = None
    is_draft: bool = False
    version_tag: str | None = None


class DeployedView(View):
    """Another process of the same file."""

    id: int
    key: str
    version: int


class DeploymentView(ProcessDefinitionView):
    """The version that was deployed; `others` are further executable processes of its file, one version each.

    `gaps` says what is missing from a draft.
    """

    gaps: list[str] = Field(default_factory=list[str])
    others: list[DeployedView] = Field(default_factory=list[DeployedView])


class ProcessDefinitionDetailView(ProcessDefinitionView):
    """One version with its diagram, and what is missing from it if it is a draft: who may deploy is told."""

    gaps: list[str]
    bpmn_xml: str


class CreateProcessDefinitionCommand(Command[DeploymentView]):
    """Deploy a BPMN 2.0 process; one whose process id is known already becomes its next version.

    Everything the engine would not execute is refused, each problem with its element's id and line. Script tasks
    need `code:write` of whoever deploys them. Of a file with several executable processes each is deployed; name,
    description and `triggerEvents` belong to the first. `triggerEvents` start an instance for each event published
    under one of these names.

    Of a file with several pools `processId` names the one to deploy: the process's id, or the id or name of its pool.
    With `draft` a file that can't be executed yet is kept all the same: it is never started, and `gaps` says what is
    missing. One without gaps is deployed as usual.
    """

    permission = "processes:write"
    aliases = ("CreateProcessDefinitiionCommand",)  # so misspelled by older clients
    succeeded = "Process definition created successfully"
    sources = SOURCE_NAMES
    failed = "Validation failed"

    name: Name
    description: Description = ""
    category: Category | None = None
    bpmn_xml: Xml
    trigger_events: TriggerEvents = Field(default_factory=list[str])
    is_active: bool = True
    metadata: dict[str, Any] | None = None
    process_id: Name | None = None
    draft: bool = False


@handles
async def create(
    command: CreateProcessDefinitionCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    process_starts: ProcessStarts,
) -> DeploymentView:
    """Compile, check what the tasks ask for, and keep the next version of each process."""
    xml, process_id = command.bpmn_xml, command.process_id
    if command.draft:
        drafts = await asyncio.to_thread(lambda: read_drafts(parse(xml), process_id))
        found = [await as_draft(one, context, registry, sandbox) for one in drafts]
        return await context.conclude(lambda inner: _deploy_all(command, inner, found, process_starts))
    processes = await asyncio.to_thread(lambda: compile_all(parse(xml), process_id))
    await check(processes, context, registry, sandbox)
    return await context.conclude(lambda inner: _deploy_all(command, inner, processes, process_starts))


class UpdateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Deploy a new version of the definition `id`; running instances stay on theirs.

    What is left out, or null, stays as it is in that definition.
    """

    permission = "processes:write"
    succeeded = "Process definition updated successfully"
    sources = SOURCE_NAMES
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
    command: UpdateProcessDefinitionCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    process_starts: ProcessStarts,
) -> ProcessDefinitionView:
    """Take over what is not given from the version that is named."""
    kept_xml, key = await context.read(lambda inner: _kept(inner, command.id))
    process = await asyncio.to_thread(lambda: _next_of(command.bpmn_xml, kept_xml, key))
    author = context.principal if command.bpmn_xml is not None else SYSTEM
    await check([process], context, registry, sandbox, author)

    def next_version(inner: Context) -> ProcessDefinitionView:
        known = found(inner, command.id)
        given = command.model_dump(exclude_none=True, exclude={"id"})
        kept = {name: getattr(known, "metadata_" if name == "metadata" else name) for name in _CARRIED}
        kept["bpmn_xml"] = kept_xml
        created = CreateProcessDefinitionCommand.model_validate({**kept, **given})
        authors = None if command.bpmn_xml is not None else definition_tables.authors_of(known)
        return _deploy(created, inner, process, process_starts, inner.now(), authors)

    return await context.conclude(next_version)


class ActivateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Let a version start instances."""

    permission = "processes:write"
    succeeded = "Process definition activated successfully"
    failed = "Activation failed"

    id: Id


@handles
def activate(
    command: ActivateProcessDefinitionCommand, context: Context, process_starts: ProcessStarts
) -> ProcessDefinitionView:
    """Switch it on."""
    return _switch(context, command.id, process_starts, active=True)


class DeactivateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Keep a version from starting instances; running ones go on."""

    permission = "processes:write"
    succeeded = "Process definition deactivated successfully"
    failed = "Deactivation failed"

    id: Id


@handles
def deactivate(
    command: DeactivateProcessDefinitionCommand, context: Context, process_starts: ProcessStarts
) -> ProcessDefinitionView:
    """Switch it off."""
    return _switch(context, command.id, process_starts, active=False)


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
    xml, gaps = restored_source(row.bpmn_xml, context.box), restored_gaps(row.gaps, context.box)
    if not context.principal.allows("processes:write"):
        xml, gaps = redacted_xml(xml), []
    return ProcessDefinitionDetailView(**_checked(row, context).model_dump(), bpmn_xml=xml, gaps=gaps)


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
    statement = definition_tables.select_definitions(query.category, query.is_active, query.key)
    search = ("name", "key", "description")

    def shown(row: DeployedProcess) -> ProcessDefinitionView:
        return _checked(row, context)

    return query.page(
        context, statement, DeployedProcess, shown, search=search, sortable=columns, unloaded=("bpmn_xml",)
    )


def found(context: Context, definition_id: int) -> DeployedProcess:
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


_CARRIED = ("name", "description", "category", "trigger_events", "is_active", "metadata")


def _kept(context: Context, definition_id: int) -> tuple[str, str]:
    """Return a version's diagram and the id of its process."""
    row = found(context, definition_id)
    return restored_source(row.bpmn_xml, context.box), row.key


async def as_draft(
    process: CompiledProcess | DraftProcess, context: EffectContext, registry: Registry, sandbox: Sandbox
) -> CompiledProcess | DraftProcess:
    """Return a process as a draft if its tasks ask for what is not there."""
    if isinstance(process, DraftProcess):
        return process
    problems = await find_problems(process, context, registry, sandbox, context.principal)
    return DraftProcess(process.id, process.name, problems) if problems else process


def _next_of(xml: str | None, kept_xml: str, key: str) -> CompiledProcess:
    return load(kept_xml, key) if xml is None else _of_key(xml, key)


def _of_key(xml: str, key: str) -> CompiledProcess:
    """Return the process of a file that an update is about."""
    definitions = parse(xml)
    named = key if any(process.id == key for process in definitions.processes) else None
    processes = {process.id: process for process in compile_all(definitions, named)}
    if key not in processes:
        raise Invalid(f"bpmnXml: the process is called {next(iter(processes))}, the definition is of {key}")
    return processes[key]


def _deploy_all(
    command: CreateProcessDefinitionCommand,
    context: Context,
    processes: Sequence[CompiledProcess | DraftProcess],
    starts: ProcessStarts,
) -> DeploymentView:
    (first, *others), at = processes, context.now()
    shown = _deploy(command, context, first, starts, at)
    rows = [
        _deploy(
            command.model_copy(update={"name": other.name or other.id, "trigger_events": []}),
            context,
            other,
            starts,
            at,
        )
        for other in others
    ]
    deployed = [DeployedView(id=row.id, key=row.key, version=row.version) for row in rows]
    gaps = sentences_of(first.gaps) if isinstance(first, DraftProcess) else []
    return DeploymentView(**shown.model_dump(), others=deployed, gaps=gaps)


def _deploy(
    command: CreateProcessDefinitionCommand,
    context: Context,
    process: CompiledProcess | DraftProcess,
    starts: ProcessStarts,
    at: datetime,
    authors: Authority | None = None,
) -> ProcessDefinitionView:
    """Keep the next version; `authors` wrote its diagram, if it is not the sender's."""
    newest = definition_tables.newest_definition(context.session, process.id)
    author, gaps = context.principal, sentences_of(process.gaps) if isinstance(process, DraftProcess) else None
    row = DeployedProcess(
        key=process.id,
        version=newest.version + 1 if newest is not None else 1,
        name=command.name,
        description=command.description,
        category=command.category,
        bpmn_xml=stored_source(command.bpmn_xml, context.box),
        trigger_events=command.trigger_events,
        is_active=command.is_active and gaps is None,
        gaps=None if gaps is None else stored_gaps(gaps, context.box),
        metadata_=command.metadata,
        author_id=author.id,
        author_name=author.name,
        permissions=sorted(author.permissions),
        authority=(authors or author.standing).to_json(),
        switched_on_by=author.standing.to_json(),
        created_at=at,
        version_tag=_tag_of(process),
    )
    try:
        with context.tx.savepoint():
            context.session.add(row)
            context.session.flush()
            shown = view(row)
    except IntegrityError as error:
        raise Conflict("another version was deployed at the same moment; try again") from error
    if not isinstance(process, DraftProcess):
        starts.refresh(context, process.id, FreshProcess(shown.id, process, len(command.bpmn_xml)))
    return shown


def _tag_of(process: CompiledProcess | DraftProcess) -> str | None:
    """The version tag of a process; a draft, which nobody calls, has none."""
    return None if isinstance(process, DraftProcess) else process.definition.version_tag or None


def _switch(context: Context, definition_id: int, starts: ProcessStarts, *, active: bool) -> ProcessDefinitionView:
    row = found(context, definition_id)
    refuse_draft(row, context.box)
    if row.is_active == active:
        raise Conflict(f"Process definition is already {'active' if active else 'inactive'}")
    row.is_active, row.updated_at = active, context.now()
    if active:
        row.switched_on_by = context.principal.standing.to_json()
    shown, key, version = view(row), row.key, row.version
    context.session.flush()
    if not active:
        _hand_over(context, key, version)
    starts.refresh(context, key)
    return shown


def _hand_over(context: Context, key: str, version: int) -> None:
    """Whoever switches a version off lets the newest older one begin instances by itself, and is asked in these."""
    older = definition_tables.newest_definition(context.session, key, active=True)
    if older is not None and older.version < version:
        authority = definition_tables.starters_of(older).joined(context.principal.standing)
        older.switched_on_by = authority.to_json()
        context.session.flush()
