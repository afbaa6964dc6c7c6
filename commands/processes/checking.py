"""Check the files of processes and decisions as a deployment would, without deploying them; try a decision."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from bpm.bpmn import compile_all, parse
from bpm.bus import Command, EffectContext, Registry, View, handles
from bpm.dmn import Decision, load_decisions, try_decision
from bpm.errors import Invalid
from bpm.model_files.problems import MAX_SENTENCES, BpmnProblem, InvalidDefinition
from bpm.security.secret_names import SOURCE_NAMES
from bpm.threads import in_thread
from commands.processes.decisions import SAMPLE as DECISION_SAMPLE
from commands.processes.decisions import Xml
from commands.processes.deployment import SAMPLE as PROCESS_SAMPLE
from commands.processes.deployment import Name
from commands.processes.requirements import all_problems, find_all
from scripts import Sandbox

Key = Annotated[str, Field(min_length=1, max_length=200)]


class ModelProblemView(View):
    """One reason why a file would not be deployed."""

    element_id: str
    """The element it is about; empty where it is about the file."""
    element_name: str
    """Its name in the file; empty if it has none."""
    line: int
    """Its line in the file, from 1; 0 where it is about the file."""
    message: str
    """What is wrong, in the words of a deployment."""

    @classmethod
    def of(cls, problem: BpmnProblem) -> "ModelProblemView":
        """Show a problem."""
        return cls(
            element_id=problem.element_id,
            element_name=problem.element_name,
            line=problem.line,
            message=str(BpmnProblem(problem.message)),
        )


class ModelCheckView(View):
    """What would keep a file from being deployed; one without problems would be deployed."""

    keys: list[str]
    """The ids of what the file would deploy; none where there are problems."""
    problems: list[ModelProblemView]
    """The first 500, in the order of their lines."""


class CheckProcessDefinitionCommand(Command[ModelCheckView]):
    """Say everything that would keep a BPMN file from being deployed, and deploy nothing.

    The check is that of `CreateProcessDefinitionCommand`: what the file says, and whether the commands, scripts,
    decisions and forms of its tasks are there and allowed to you.
    """

    permission = "processes:write"
    succeeded = "Process definition checked"
    sources = SOURCE_NAMES
    sample = {"bpmnXml": PROCESS_SAMPLE}

    bpmn_xml: Xml
    """The text of a BPMN 2.0 file."""
    process_id: Name | None = None
    """Which of several pools is meant, as when it is deployed."""


@handles
async def check_process(
    command: CheckProcessDefinitionCommand, context: EffectContext, registry: Registry, sandbox: Sandbox
) -> ModelCheckView:
    """Compile it, and look for what its tasks ask for."""
    xml, process_id = command.bpmn_xml, command.process_id
    try:
        processes = await in_thread(context.organization_id, lambda: compile_all(parse(xml), process_id))
    except InvalidDefinition as invalid:
        return _checked([], invalid.problems)
    found = await find_all(processes, context, registry, sandbox)
    problems = await context.read(lambda inner: all_problems(processes, found, inner))
    return _checked([process.id for process in processes], problems)


class DecisionTrialView(View):
    """What a decision comes to with values that were given."""

    matched: list[int]
    """The rules of its table that match, from 1, also behind the one that FIRST takes; none where it is no table."""
    result: Any
    """What it came to; null if it failed."""
    failure: str | None
    """Why it came to nothing."""


class DecisionCheckView(ModelCheckView):
    """What would keep a file of decisions from being deployed, and what was tried."""

    trial: DecisionTrialView | None
    """What the decision came to; null where none was tried, or the file has problems."""


class CheckDecisionDefinitionCommand(Command[DecisionCheckView]):
    """Say everything that would keep a DMN file from being deployed, and deploy nothing.

    With `key` that decision of the file is tried with `variables`: which rules of its table match, and what it comes
    to. Nothing is kept.
    """

    permission = "processes:write"
    succeeded = "Decisions checked"
    sources = SOURCE_NAMES
    sample = {"dmnXml": DECISION_SAMPLE, "key": "limit", "variables": {"customer": "new"}}

    dmn_xml: Xml
    """The text of a DMN 1.3 file."""
    key: Key | None = None
    """The id of a decision in the file, to be tried."""
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
async def check_decisions(command: CheckDecisionDefinitionCommand, context: EffectContext) -> DecisionCheckView:
    """Read it, and evaluate one of its decisions."""
    return await in_thread(context.organization_id, partial(_check_decisions, command, context.now()))


def _check_decisions(command: CheckDecisionDefinitionCommand, now: datetime) -> DecisionCheckView:
    try:
        decisions = load_decisions(command.dmn_xml)
    except InvalidDefinition as invalid:
        return DecisionCheckView(**_checked([], invalid.problems).model_dump(), trial=None)
    trial = None if command.key is None else _try(_named(decisions, command.key), command.variables, now)
    return DecisionCheckView(keys=list(decisions), problems=[], trial=trial)


def _named(decisions: Mapping[str, Decision], key: str) -> Decision:
    if key not in decisions:
        raise Invalid(f"key: the file has no decision {key}")
    return decisions[key]


def _try(decision: Decision, variables: Mapping[str, Any], now: datetime) -> DecisionTrialView:
    trial = try_decision(decision, variables, now)
    return DecisionTrialView(matched=trial.matched, result=trial.result, failure=trial.failure)


def _checked(keys: list[str], problems: Iterable[BpmnProblem]) -> ModelCheckView:
    ordered = sorted(problems, key=lambda problem: problem.line)
    shown = [ModelProblemView.of(problem) for problem in ordered[:MAX_SENTENCES]]
    return ModelCheckView(keys=[] if ordered else keys, problems=shown)
