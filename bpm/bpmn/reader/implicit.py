"""What files of Camunda 7 and its relatives leave to be understood: codes of errors, and what is executed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from bpm.bpmn.definition import Declaration, ProcessDefinition
from bpm.model_files.xml import Tag
from bpm.spelling import nearest

_FLOWABLE = frozenset({"http://flowable.org/bpmn", "http://activiti.org/bpmn"})


def add_error_codes(
    declarations: Mapping[str, Declaration], processes: Iterable[ProcessDefinition], kinds: Collection[str]
) -> Mapping[str, Declaration]:
    """Also declare the errors or escalations that events refer to and the file does not: the reference is the code.

    One that is spelt like an error of the file is left alone, for that is what may be meant.
    """
    found = dict(declarations)
    for process in processes:
        for element in process.elements:
            for event in element.events:
                code = event.reference
                is_known = code in found or ":" in code or nearest(code, declarations, cutoff=0.8)
                if event.kind in kinds and code and not is_known:
                    found[code] = Declaration(code, event.kind, code, element.line, code)
    return found


def mark_executable(processes: Iterable[ProcessDefinition]) -> tuple[ProcessDefinition, ...]:
    """Take each process that says nothing of it for one to be executed, as Flowable and Activiti do."""
    return tuple([replace(one, executable=True) if one.executable is None else one for one in processes])


def is_of_flowable(tag: Tag) -> bool:
    """Whether a file uses the words of Flowable or Activiti somewhere."""
    names = (name[1:].partition("}")[0] for name in tag.attributes if name[0] == "{")
    return any(name in _FLOWABLE for name in (tag.namespace, *names)) or any(map(is_of_flowable, tag.children))
