"""The BPMN engine: definitions in, effects out, nothing else.

    process = load(xml)                                          raises InvalidDefinition with every problem
    instance, effects = advance(process, Instance(), Start({"amount": 5}), now)
    text = instance.to_json()                                    store it; later: Instance.from_json(text)

`triggers` lists what can happen to an instance, `effects` what the caller has to do, `nodes` what each BPMN
element means, `run` what they work on.
"""

from .compile import CompiledProcess, compile_all, compile_process, load
from .definition import Definitions, ProcessDefinition
from .effects import Effect
from .engine import advance
from .parse import parse
from .problems import BpmnProblem, InvalidDefinition
from .state import Instance, Status, changes
from .triggers import Trigger

__all__ = [
    "BpmnProblem",
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
