"""Deploy process definitions: new ones, next versions, and drafts that can't run yet."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.exc import IntegrityError

from bpm.bpmn import CompiledProcess, compile_all, load, parse
from bpm.bpmn.compiler.drafts import DraftProcess, read_drafts
from bpm.bus import Command, Context, EffectContext, Id, Registry, View, handles
from bpm.errors import Conflict, Invalid
from bpm.model_files.problems import sentences_of
from bpm.process import definition_tables
from bpm.process.definition_cache import FreshProcess
from bpm.process.definition_tables import DeployedProcess
from bpm.process.sealing import restored_source, stored_gaps, stored_source
from bpm.process.start_triggers import ProcessStarts
from bpm.security.permissions import SYSTEM, Authority
from bpm.security.secret_names import SOURCE_NAMES
from bpm.threads import in_thread
from commands.processes.definitions import ProcessDefinitionView, get_definition, view
from commands.processes.requirements import Found, find_all, find_problems, problems_of, refuse_problems
from commands.processes.staleness import AfterVersion, refuse_stale
from scripts import Sandbox

Xml = Annotated[str, Field(min_length=1, max_length=1024 * 1024)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=2000)]
Category = Annotated[str, Field(max_length=100)]
TriggerEvents = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=50)]


class DeployedView(View):
    """Another process of the same file."""

    id: int
    key: str
    """The id of the process in its file."""
    version: int


class DeploymentView(ProcessDefinitionView):
    """The version that was deployed; `others` are further executable processes of its file, one version each.

    `gaps` says what is missing from a draft.
    """

    gaps: list[str] = Field(default_factory=list[str])
    others: list[DeployedView] = Field(default_factory=list[DeployedView])
    """Further processes of the same file."""


SAMPLE = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="example">
  <process id="order" isExecutable="true">
    <startEvent id="placed"/>
    <sequenceFlow id="to-review" sourceRef="placed" targetRef="review"/>
    <userTask id="review" name="Review the order"/>
    <sequenceFlow id="to-end" sourceRef="review" targetRef="done"/>
    <endEvent id="done"/>
  </process>
</definitions>
"""
"""The example that the catalogue shows."""


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
    sample = {"name": "Order", "bpmnXml": SAMPLE}

    name: Name
    description: Description = ""
    category: Category | None = None
    bpmn_xml: Xml
    trigger_events: TriggerEvents = Field(default_factory=list[str])
    is_active: bool = True
    metadata: dict[str, Any] | None = None
    process_id: Name | None = None
    """Which of several pools to deploy: the process's id, or its pool's."""
    draft: bool = False
    """Whether a file that can't be executed yet is kept all the same."""
    after_version: AfterVersion = None
    """The newest version of the (first) process that you have seen, 0 for none: refused if there is a newer one."""


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
        drafts = await in_thread(context.organization_id, lambda: read_drafts(parse(xml), process_id))
        looked_at = [(one, await _problems_of_draft(one, context, registry, sandbox)) for one in drafts]
        return await context.conclude(
            lambda inner: _deploy_all(
                command, inner, [_as_draft(one, found, inner) for one, found in looked_at], process_starts
            )
        )
    processes = await in_thread(context.organization_id, lambda: compile_all(parse(xml), process_id))
    found = await find_all(processes, context, registry, sandbox)

    def deploy(inner: Context) -> DeploymentView:
        refuse_problems(processes, found, inner)
        return _deploy_all(command, inner, processes, process_starts)

    return await context.conclude(deploy)


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
    process = await in_thread(context.organization_id, lambda: _next_of(command.bpmn_xml, kept_xml, key))
    author = context.principal if command.bpmn_xml is not None else SYSTEM
    problems = await find_all([process], context, registry, sandbox, author)

    def next_version(inner: Context) -> ProcessDefinitionView:
        refuse_problems([process], problems, inner)
        known = get_definition(inner, command.id)
        given = command.model_dump(exclude_none=True, exclude={"id"})
        kept = {name: getattr(known, "metadata_" if name == "metadata" else name) for name in _CARRIED}
        kept["bpmn_xml"] = kept_xml
        created = CreateProcessDefinitionCommand.model_validate({**kept, **given})
        authors = None if command.bpmn_xml is not None else definition_tables.authors_of(known)
        return _deploy(created, inner, process, process_starts, inner.now(), authors)

    return await context.conclude(next_version)


_CARRIED = ("name", "description", "category", "trigger_events", "is_active", "metadata")


def _kept(context: Context, definition_id: int) -> tuple[str, str]:
    """Return a version's diagram and the id of its process."""
    row = get_definition(context, definition_id)
    return restored_source(row.bpmn_xml, context.box), row.key


async def _problems_of_draft(
    process: CompiledProcess | DraftProcess, context: EffectContext, registry: Registry, sandbox: Sandbox
) -> list[Found]:
    if isinstance(process, DraftProcess):
        return []
    return await find_problems(process, context, registry, sandbox, context.principal)


def _as_draft(
    process: CompiledProcess | DraftProcess, found: Sequence[Found], context: Context
) -> CompiledProcess | DraftProcess:
    """Return a process as a draft if its tasks ask for what is not there."""
    if isinstance(process, DraftProcess):
        return process
    problems = problems_of(process, found, context)
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
    newest = definition_tables.newest_definition(context.session, first.id)
    refuse_stale(first.id, command.after_version, newest.version if newest else 0)
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
    row = _next_version(command, context, process, at, authors)
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


def _next_version(
    command: CreateProcessDefinitionCommand,
    context: Context,
    process: CompiledProcess | DraftProcess,
    at: datetime,
    authors: Authority | None,
) -> DeployedProcess:
    newest = definition_tables.newest_definition(context.session, process.id)
    author, gaps = context.principal, sentences_of(process.gaps) if isinstance(process, DraftProcess) else None
    return DeployedProcess(
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


def _tag_of(process: CompiledProcess | DraftProcess) -> str | None:
    """The version tag of a process; a draft, which nobody calls, has none."""
    return None if isinstance(process, DraftProcess) else process.definition.version_tag or None
