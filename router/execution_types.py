"""What a rule does with a request: one table of execution types, and how each makes the message to send.

An entry names the field that the type needs, the command that does its work, and a function that is given a rule's
fields once and returns how a request's scope (`payload headers query path request`) becomes the command's fields. All
else that is to be known of a type follows from its entry.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from bpm.bus import Registry
from bpm.bus.field_names import field_names
from bpm.exact_json import plain
from bpm.expressions import compile_template
from bpm.number import whole
from router.mapping import compile_mapping

if TYPE_CHECKING:
    from router.config import WebHookFields

SIGNATURES = "signatureHeaders"
"""What the scope of a script that verifies signatures itself has besides: the hidden headers that are signatures."""

_NAMES_REQUEST = re.compile(r"\brequest\b")

MakeFields = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Makes a message's fields of a request's scope."""


class ExecutionType(IntEnum):
    """What a rule does with a request: 0 a command, 1 a chain, 2 a script, 3 a process."""

    NATIVE = 0
    CHAIN = 1
    CODE = 2
    PROCESS = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """Which configuration a message comes from, for scripts that are reused per rule."""

    id: int
    key: str
    revision: int
    organization_id: int


def native(fields: "WebHookFields", registry: Registry, _origin: Origin) -> MakeFields:
    """Fill the named command's fields from `parameters`, or from the payload's fields of the same name."""
    message_type = registry.find(fields.command_name or "").message_type
    return compile_mapping(fields.parameters, frozenset(field_names(message_type))).fields


def chain(fields: "WebHookFields", _registry: Registry, _origin: Origin) -> MakeFields:
    """Run the steps, or the commands named in `commandName`, in order."""
    steps = [plain(step, exclude_unset=True) for step in fields.command_chain or ()]
    names = [name.strip() for name in (fields.command_name or "").split(",") if name.strip()]
    steps = steps or [{"commandName": name} for name in names]
    return lambda scope: {"steps": steps, **_request(scope)}


def code(fields: "WebHookFields", _registry: Registry, origin: Origin) -> MakeFields:
    """Run the script in the sandbox."""
    fixed = {"code": fields.execution_code, "rule": f"{origin.id}:{origin.revision}"}
    if fields.isolation is not None:
        fixed["isolation"] = fields.isolation
    names_request = _NAMES_REQUEST.search(fields.execution_code or "") is not None

    def run(scope: Mapping[str, Any]) -> dict[str, Any]:
        request = scope["request"]
        seen = {"method": request["method"], "requestId": request["id"]}
        if scope.get(SIGNATURES):
            seen[SIGNATURES] = scope[SIGNATURES]
        if names_request:
            seen["request"] = {name: request[name] for name in ("id", "method", "path", "address", "receivedAt")}
            seen["rawBody"] = request["bodyBase64"]
        return {**fixed, **_request(scope), **seen}

    return run


def process(fields: "WebHookFields", _registry: Registry, _origin: Origin) -> MakeFields:
    """Start an instance of the definition, or correlate with one that waits."""
    template: dict[str, Any] = {"processDefinitionId": fields.process_definition_id}
    if fields.business_key is not None:
        template["businessKey"] = fields.business_key
    if fields.start_policy is not None:
        template["startPolicy"] = fields.start_policy
    if fields.correlation is not None:
        template["messageName"] = fields.correlation.message_name
        template["correlationKey"] = fields.correlation.key
    render = compile_template(template).render
    variables = compile_template(fields.parameters).render if fields.parameters else _request
    return lambda scope: {**render(scope), "variables": variables(scope)}


@dataclass(frozen=True, slots=True)
class ExecutionKind:
    """One execution type: `field` is the one that it needs and that the others may not have."""

    title: str
    field: str
    make: "Callable[[WebHookFields, Registry, Origin], MakeFields]"
    command: str | None = None
    """The `$type` that does the work; None where the rule's author names it."""
    says_revision: frozenset[str] = frozenset()
    """The fields that say which revision sends: they differ in every draft, and mean no difference."""


EXECUTION_TYPES: Mapping[ExecutionType, ExecutionKind] = {
    ExecutionType.NATIVE: ExecutionKind("native command", "commandName", native),
    ExecutionType.CHAIN: ExecutionKind("command chain", "commandChain", chain, "ExecuteCommandChainCommand"),
    ExecutionType.CODE: ExecutionKind("code", "executionCode", code, "ExecuteCodeCommand", frozenset({"rule"})),
    ExecutionType.PROCESS: ExecutionKind("process", "processDefinitionId", process, "StartProcessInstanceCommand"),
}
"""Every execution type."""


def read_execution_type(value: object) -> ExecutionType:
    """Return the type of a number; raises `ValueError` with all of them."""
    number = whole(value)
    if isinstance(number, bool) or not isinstance(number, int) or number not in set(ExecutionType):
        raise ValueError(f"must be {_choices()}")
    return ExecutionType(number)


def _choices() -> str:
    *most, last = (f"{number.value} ({kind.title})" for number, kind in EXECUTION_TYPES.items())
    return f"{', '.join(most)} or {last}"


def _request(scope: Mapping[str, Any]) -> dict[str, Any]:
    return {name: scope[name] for name in ("payload", "headers", "query", "path")}
