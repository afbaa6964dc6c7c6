"""The BPMN engine: definitions in, effects out, nothing else.

    process = load(xml)                                          raises InvalidDefinition with every problem
    instance, effects = advance(process, Instance(), Start({"amount": 5}), now)
    text = instance.to_json()                                    store it; later: Instance.from_json(text)

`triggers` lists what can happen to an instance, `effects` what the caller has to do, `nodes` what each BPMN
element means, `run` what they work on.
"""

from bpm.bpmn.compiler.compile import CompiledProcess, compile_all, compile_process, load
from bpm.bpmn.definition import Definitions, ProcessDefinition
from bpm.bpmn.effects import Effect
from bpm.bpmn.elements.command_use import CommandUse
from bpm.bpmn.engine import advance
from bpm.bpmn.reader.parse import parse
from bpm.bpmn.state import Instance, Status, changes
from bpm.bpmn.triggers import Trigger
from bpm.model_files.problems import BpmnProblem, InvalidDefinition

__all__ = [
    "BpmnProblem",
    "CommandUse",
    "CompiledProcess",
    "Definitions",
    "Effect",
    "Instance",
    "InvalidDefinition",
    "ProcessDefinition",
    "Status",
    "Trigger",
    "advance",
    "changes",
    "compile_all",
    "compile_process",
    "load",
    "parse",
]
