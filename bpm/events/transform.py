"""How a subscription changes what is sent: by a template, or by a script in the sandbox."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zlib import crc32

from pydantic_core import PydanticSerializationError

from bpm.errors import NoTurn
from bpm.events.delivery_request import EventNotice
from bpm.events.destination import Destination
from bpm.exact_json import read_json, write_json
from bpm.expressions import EvaluationError, Template
from scripts import Sandbox, SandboxUnavailable


class TransformError(ValueError):
    """A transform came to nothing that can be sent."""


async def apply_transform(
    destination: Destination, notice: EventNotice, ordering_key: str | None, sandbox: Sandbox, most: int
) -> bytes | None:
    """Return the transformed JSON, the same at every attempt; None without a transform.

    Raises `TransformError`, also for more than `most` bytes: a template may name an event's data many times. Raises
    `NoTurn` when the script could not be run just now.
    """
    if destination.template is None and destination.script is None:
        return None
    scope = {
        "id": notice.id,
        "type": notice.type,
        "timestamp": notice.timestamp,
        "data": read_json(notice.data),
        "orderingKey": ordering_key,
    }
    if destination.template is not None:
        return _json(_rendered(destination.template, scope), most)
    assert destination.script is not None
    return _json(await _run(destination, destination.script, scope, notice.at, sandbox), most)


def _rendered(template: Template, scope: Mapping[str, Any]) -> Any:
    try:
        return template.render(scope)
    except EvaluationError as error:
        raise TransformError(f"transform.template: {error}") from error


async def _run(destination: Destination, script: str, scope: Mapping[str, Any], at: datetime, sandbox: Sandbox) -> Any:
    """Run the script with the event as `payload`; chance and time are the event's, so that it can be run again."""
    tenant = f"{destination.organization_id}:subscription:{destination.id}:{destination.version}"
    seed = crc32(str(scope["id"]).encode())
    owner = str(destination.organization_id)
    try:
        run = await sandbox.run(
            script, {"payload": dict(scope)}, isolation="rule", tenant=tenant, owner=owner, seed=seed, now=at
        )
    except SandboxUnavailable as error:
        raise NoTurn(f"transform.script: {error}") from error
    except (TypeError, ValueError) as error:
        raise TransformError(f"transform.script: {error}") from error
    if run.failure is not None:
        line = f"line {run.failure.line}, " if run.failure.line is not None else ""
        raise TransformError(f"transform.script: {line}{run.failure.reason}: {run.failure.message}")
    return run.result


def _json(value: object, most: int) -> bytes:
    try:
        written = write_json(value)
    except PydanticSerializationError as error:
        raise TransformError(f"transform: the result can't be written as JSON: {error}") from error
    if len(written) > most:
        raise TransformError(
            f"transform: the result takes {len(written)} bytes; at most {most} are possible "
            "(BPM_DELIVERY__MAX_EVENT_BYTES)"
        )
    return written
