"""From a request to a message: one small table, a function for each execution type.

Each function is given the rule's fields once and returns how a request's scope (`payload headers query path
request`) becomes the `$type` and the fields of the message to send.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpm.bus import Message, Registry
from bpm.exact_json import plain
from bpm.expressions import compile_template
from bpm.metering import MAX_REQUEST_STEPS, budget
from router.config import ExecutionType, WebHookFields
from router.mapping import compile_mapping

SIGNATURES = "signatureHeaders"
"""What the scope of a script that verifies signatures itself has besides: the hidden headers that are signatures."""

Fields = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Makes the message of a request's scope; raises a `BpmError` or an `EvaluationError` that says why not.

    `sends` is the message's `$type`, empty when there is none to be made.
    """

    sends: str
    make: Callable[[Mapping[str, Any]], Message[Any]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Which configuration a message comes from, for scripts that are reused per rule."""

    id: int
    key: str
    revision: int
    organization_id: int


def dispatcher(
    id_: int, key: str, revision: int, organization_id: int, fields: WebHookFields, registry: Registry
) -> Dispatch:
    """Return what makes a rule's messages; raises `NotFound` for an unknown command."""
    name, make = DISPATCH[fields.execution_type](fields, registry, Origin(id_, key, revision, organization_id))
    registry.find(name)

    def message(scope: Mapping[str, Any]) -> Message[Any]:
        with budget(MAX_REQUEST_STEPS):
            return registry.decode(name, make(scope))

    return Dispatch(name, message)


def native(fields: WebHookFields, registry: Registry, _origin: Origin) -> tuple[str, Fields]:
    """Send the named command, its fields from `parameters` or from the payload's fields of the same name."""
    name = fields.command_name or ""
    message_type = registry.find(name).message_type
    names = frozenset(f.alias or n for n, f in message_type.model_fields.items())
    return name, compile_mapping(fields.parameters, names).fields


def chain(fields: WebHookFields, _registry: Registry, _origin: Origin) -> tuple[str, Fields]:
    """Run the steps, or the commands named in `commandName`, in order."""
    steps = [plain(step, exclude_unset=True) for step in fields.command_chain or ()]
    names = [name.strip() for name in (fields.command_name or "").split(",") if name.strip()]
    steps = steps or [{"commandName": name} for name in names]
    return "ExecuteCommandChainCommand", lambda scope: {"steps": steps, **_request(scope)}


def code(fields: WebHookFields, _registry: Registry, origin: Origin) -> tuple[str, Fields]:
    """Run the script in the sandbox."""
    fixed = {"code": fields.execution_code, "rule": f"{origin.id}:{origin.revision}"}
    if fields.isolation is not None:
        fixed["isolation"] = fields.isolation

    def run(scope: Mapping[str, Any]) -> dict[str, Any]:
        request = scope["request"]
        seen = {"method": request["method"], "requestId": request["id"]}
        if scope.get(SIGNATURES):
            seen[SIGNATURES] = scope[SIGNATURES]
        return {**fixed, **_request(scope), **seen}

    return "ExecuteCodeCommand", run


def process(fields: WebHookFields, _registry: Registry, _origin: Origin) -> tuple[str, Fields]:
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
    return "StartProcessInstanceCommand", lambda scope: {**render(scope), "variables": variables(scope)}


def _request(scope: Mapping[str, Any]) -> dict[str, Any]:
    return {name: scope[name] for name in ("payload", "headers", "query", "path")}


DISPATCH: dict[ExecutionType, Callable[[WebHookFields, Registry, Origin], tuple[str, Fields]]] = {
    ExecutionType.NATIVE: native,
    ExecutionType.CHAIN: chain,
    ExecutionType.CODE: code,
    ExecutionType.PROCESS: process,
}
