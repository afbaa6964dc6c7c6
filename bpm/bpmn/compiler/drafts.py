"""Processes that can't be executed yet, with everything that is missing: kept to be looked at and gone on with."""

from collections.abc import Sequence
from dataclasses import dataclass

from bpm.bpmn.compiler.building import build
from bpm.bpmn.compiler.compile import MAX_PROCESSES, choose_processes
from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.definition import Definitions, ProcessDefinition
from bpm.model_files.names import MAX_NAME
from bpm.model_files.problems import BpmnProblem, InvalidDefinition


@dataclass(frozen=True, slots=True)
class DraftProcess:
    """A process of a file, and its gaps: all that keeps it from being executed."""

    id: str
    name: str
    gaps: Sequence[BpmnProblem]


def read_drafts(definitions: Definitions, process_id: str | None = None) -> list[CompiledProcess | DraftProcess]:
    """Read the processes of a file as far as each has got; one without gaps is ready to run.

    Raises InvalidDefinition when there is nothing in the file, or nothing by which it could be kept.
    """
    return [_draft(definitions, process) for process in _candidates(definitions, process_id)]


def _candidates(definitions: Definitions, process_id: str | None) -> Sequence[ProcessDefinition]:
    """The processes that would be executed; where there is no telling which, all that hold something."""
    filled = [process for process in definitions.processes if process.elements]
    is_clear = process_id is not None or any(process.executable for process in filled) or len(filled) < 2
    candidates = choose_processes(definitions, process_id) if is_clear else filled
    nameless = [one for one in candidates if len(one.id) > MAX_NAME or one.id == f"process in line {one.line}"]
    if nameless or len(candidates) > MAX_PROCESSES:
        why = f"a draft has at most {MAX_PROCESSES} processes, each with an id of at most {MAX_NAME} characters"
        raise InvalidDefinition([BpmnProblem(why)])
    return candidates


def _draft(definitions: Definitions, process: ProcessDefinition) -> CompiledProcess | DraftProcess:
    try:
        return build(definitions, process)
    except InvalidDefinition as invalid:
        return DraftProcess(process.id, process.name, invalid.problems)
