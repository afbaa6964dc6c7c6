"""From a request to a message: the rule's execution type makes the fields, the registry the message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bpm.bus import Message, Registry
from bpm.metering import MAX_REQUEST_STEPS, budget
from router.config import WebHookFields
from router.execution_types import EXECUTION_TYPES, Origin


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Makes the message of a request's scope; raises a `BpmError` or an `EvaluationError` that says why not.

    `sends` is the message's `$type`, empty when there is none to be made.
    """

    sends: str
    make: Callable[[Mapping[str, Any]], Message[Any]]


def dispatcher(
    id_: int, key: str, revision: int, organization_id: int, fields: WebHookFields, registry: Registry
) -> Dispatch:
    """Return what makes a rule's messages; raises `NotFound` for an unknown command."""
    kind = EXECUTION_TYPES[fields.execution_type]
    name = kind.command or fields.command_name or ""
    make = kind.make(fields, registry, Origin(id_, key, revision, organization_id))
    message_type = registry.find(name).message_type

    def message(scope: Mapping[str, Any]) -> Message[Any]:
        with budget(MAX_REQUEST_STEPS):
            return registry.decode(name, make(scope))

    return Dispatch(message_type.__name__, message)
