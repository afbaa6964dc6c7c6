"""What a process asks of the installation before it is deployed: commands, scripts, decisions, forms, permissions."""

from collections.abc import Iterable, Sequence

from bpm.bpmn import BpmnProblem, CompiledProcess
from bpm.bus import Context, EffectContext, Registry
from bpm.errors import Invalid
from bpm.process.bindings import bound_decision, bound_form
from bpm.process.command_uses import problems_of_use
from bpm.security.permissions import Principal
from scripts import Sandbox

Found = tuple[str, str]
"""An element's id and what is wrong with it."""


async def find_all(
    processes: Sequence[CompiledProcess],
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    author: Principal | None = None,
) -> list[list[Found]]:
    """Return of each process what `find_problems` finds."""
    return [await find_problems(one, context, registry, sandbox, author or context.principal) for one in processes]


async def find_problems(
    process: CompiledProcess, context: EffectContext, registry: Registry, sandbox: Sandbox, author: Principal
) -> list[Found]:
    """Return which commands a process asks for that are not there, or lack a field, and what is wrong with its scripts.

    The scripts will run whoever starts it, so its author must be allowed to write code.
    """
    return _misused_commands(process, registry) + await _bad_scripts(process, registry, sandbox, author)


def refuse_problems(processes: Sequence[CompiledProcess], found: Sequence[list[Found]], context: Context) -> None:
    """Raise `Invalid` with everything that would keep processes from running, `found` included."""
    problems = all_problems(processes, found, context)
    if problems:
        raise Invalid(*[str(problem) for problem in sorted(problems, key=lambda problem: problem.line)])


def all_problems(
    processes: Sequence[CompiledProcess], found: Sequence[list[Found]], context: Context
) -> list[BpmnProblem]:
    """Return what would keep processes from running, `found` included."""
    pairs = zip(processes, found, strict=True)
    return [problem for process, known in pairs for problem in problems_of(process, known, context)]


def problems_of(process: CompiledProcess, found: Sequence[Found], context: Context) -> list[BpmnProblem]:
    """Return what was found in a process, and the decisions and forms that are not there when it is deployed."""
    return _placed(process, [*found, *_missing_decisions(context, process), *_missing_forms(context, process)])


def _placed(process: CompiledProcess, found: Iterable[Found]) -> list[BpmnProblem]:
    """The same with each element's name and line."""
    definition = process.definition
    places = {place.id: place for place in (definition, *definition.flows, *definition.elements)}
    return [BpmnProblem(message, name, places[name].name, places[name].line) for name, message in found]


def _misused_commands(process: CompiledProcess, registry: Registry) -> list[Found]:
    return [(use.element, problem) for use in process.commands for problem in problems_of_use(registry, use)]


async def _bad_scripts(
    process: CompiledProcess, registry: Registry, sandbox: Sandbox, author: Principal
) -> list[Found]:
    needed = registry.find("ExecuteCodeCommand").message_type.permission
    found: list[Found] = []
    for element, source in process.scripts:
        if not author.allows(needed):
            found.append((element, f"a script needs {needed}, which {author.name} does not have"))
        checked = await sandbox.check(source, str(author.organization_id))
        found += [(element, f"in its script, line {p.line}, column {p.column}: {p.message}") for p in checked.problems]
    return found


def _missing_decisions(context: Context, process: CompiledProcess) -> list[Found]:
    return [
        (element, f"there is no decision {key}{binding}; deploy its DMN file first")
        for element, (key, binding) in process.decisions.items()
        if bound_decision(context.session, key, binding, None) is None
    ]


def _missing_forms(context: Context, process: CompiledProcess) -> list[Found]:
    return [
        (element, f"there is no form {key}{binding}; deploy it with CreateFormDefinitionCommand first")
        for element, (key, binding) in process.forms.items()
        if bound_form(context.session, key, binding, None) is None
    ]
