"""`Definitions` -> `CompiledProcess`: which processes of a file to execute, and all that keeps them from it."""

from collections.abc import Sequence

from bpm.bpmn.compiler.building import build
from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.definition import Definitions, ProcessDefinition
from bpm.bpmn.reader.parse import parse
from bpm.model_files.problems import BpmnProblem, InvalidDefinition

__all__ = ["CompiledProcess", "choose_processes", "compile_all", "compile_process", "load", "load_deployed"]


MAX_PROCESSES = 20
"""How many processes of a file are executed: each is stored with the whole file."""


def load(source: str | bytes, process_id: str | None = None) -> CompiledProcess:
    """Parse and compile; raises InvalidDefinition with every problem of the file."""
    return compile_process(parse(source), process_id)


def load_deployed(source: str | bytes, process_id: str) -> CompiledProcess:
    """Compile a process that is deployed, and goes on whatever is refused by now; raises InvalidDefinition."""
    definitions = parse(source)
    return build(definitions, _named(definitions, process_id), is_deployed=True)


def compile_process(definitions: Definitions, process_id: str | None = None) -> CompiledProcess:
    """Compile one process of a file: the one of that id, or the one that is to be executed.

    That is the one marked `isExecutable`, or the only one there is. Raises InvalidDefinition with every problem.
    """
    return build(definitions, choose_processes(definitions, process_id)[0])


def compile_all(definitions: Definitions, process_id: str | None = None) -> list[CompiledProcess]:
    """Compile every process of a file that is to be executed; raises InvalidDefinition with every problem.

    With `process_id` that is the one of this id, or of the pool with this id or name.
    """
    compiled, problems = _build_each(definitions, choose_processes(definitions, process_id))
    if problems:
        raise InvalidDefinition(problems)
    return compiled


def choose_processes(definitions: Definitions, process_id: str | None = None) -> Sequence[ProcessDefinition]:
    """The processes of a file to execute; raises InvalidDefinition when there is none, or no telling which."""
    if process_id is not None:
        return [_named(definitions, process_id)]
    marked = [process for process in definitions.processes if process.executable]
    if len(marked) > MAX_PROCESSES:
        one = marked[MAX_PROCESSES]
        why = f"the file holds more than {MAX_PROCESSES} processes to execute; put them into several files"
        raise InvalidDefinition([BpmnProblem(why, one.id, one.name, one.line)])
    candidates = marked or [process for process in definitions.processes if process.elements]
    if marked or len(candidates) == 1:
        return candidates
    if candidates:
        why = 'this process may be meant; mark those to be executed with isExecutable="true", or name one by processId'
        unclear = [BpmnProblem(why, one.id, one.name, one.line) for one in candidates]
        raise InvalidDefinition([*unclear, *_build_each(definitions, candidates)[1]])
    empty = definitions.processes[0] if definitions.processes else None
    if empty is None:
        raise InvalidDefinition([BpmnProblem("the file holds no <process>")])
    raise InvalidDefinition([BpmnProblem("the process is empty", empty.id, empty.name, empty.line)])


def _named(definitions: Definitions, name: str) -> ProcessDefinition:
    """The process of an id, or that of the one pool with this id or name."""
    processes = {process.id: process for process in definitions.processes}
    pools = [pool.process for pool in definitions.participants if name in (pool.id, pool.name)]
    found = [processes[each] for each in (name, *pools) if each in processes]
    if len(set(pools)) > 1 and name not in processes:
        raise InvalidDefinition([BpmnProblem(f"several pools are called '{name}'; name the process by its id")])
    if not found:
        known = ", ".join(f"'{one.id}'" for one in definitions.processes if one.elements) or "none"
        raise InvalidDefinition([BpmnProblem(f"the file holds no process '{name:.200}'; it holds {known:.500}")])
    return found[0]


def _build_each(
    definitions: Definitions, processes: Sequence[ProcessDefinition]
) -> tuple[list[CompiledProcess], list[BpmnProblem]]:
    """Build some processes of a file; also return everything that keeps any of them from it, each problem once."""
    compiled: list[CompiledProcess] = []
    found: list[BpmnProblem] = []
    for process in processes:
        try:
            compiled.append(build(definitions, process))
        except InvalidDefinition as invalid:
            found += invalid.problems
    return compiled, list(dict.fromkeys(found))
