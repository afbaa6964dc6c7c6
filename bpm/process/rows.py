"""What queries of instances, their parts, waits, timers and history return."""

from datetime import datetime
from typing import Any, NamedTuple


class InstanceRow(NamedTuple):
    """An instance of a process as it is stored."""

    organization_id: int
    id: int
    definition_id: int
    process_key: str
    business_key: str | None
    origin: str | None
    """The request that started it; a second one with the same id starts nothing."""
    status: str
    state: str
    """Tokens, scopes and variables as JSON, sealed where they hold secrets; what is large stands in `process_part`."""
    state_version: int
    parts_size: int
    """The bytes of its parts."""
    history_count: int
    """How many entries its history has."""
    starter_id: str
    starter_name: str
    permissions: list[str]
    authority: dict[str, Any] | None
    """Who is asked what it may do, besides the authors of its version."""
    migrator: dict[str, Any] | None
    """Who migrated it to its version or moved its tokens, if somebody has."""
    correlation_id: str
    parent_id: int | None
    """The instance that called it, with the wait and the attempt that it answers."""
    parent_wait: int | None
    parent_attempt: int | None
    root_id: int | None
    """The first one of the chain of calls."""
    depth: int
    created_at: datetime
    ended_at: datetime | None


class StartedInstance(NamedTuple):
    """An instance that a request has started."""

    id: int


class WaitRow(NamedTuple):
    """What a token of an instance waits for."""

    organization_id: int
    instance_id: int
    wait_id: int
    kind: str
    element_id: str
    attempt: int
    """How often the element was reached by this wait's token; an answer names it."""
    tries: int
    """How often its work was tried in vain."""
    depth: int
    """How many messages had caused one another when it was opened."""
    due_at: datetime | None
    name: str | None
    """Of a message or signal, or what a person is shown."""
    key: str | None
    """The correlation key."""
    turn: int | None
    """The turn of a repeated activity that it is part of, if that is stored by itself."""
    data: dict[str, Any] | None
    """What its work is given, sealed where it holds secrets."""
    created_at: datetime
    failure: dict[str, Any] | None
    """Why its last try was in vain, sealed in the same way."""


class PartRow(NamedTuple):
    """A turn of a repeated activity that is stored beside the state of its instance."""

    scope: int
    around: int
    """The turn that it is part of, 0 for none."""
    data: str
    """The engine's own JSON, sealed where it holds secrets."""


class ScheduleRow(NamedTuple):
    """A timer that begins instances."""

    organization_id: int
    definition_id: int
    element_id: str
    turn: int
    """How often it has begun one."""
    due_at: datetime
    data: list[Any] | None
    """The cycle's own; None for a timer that fires once."""
    cause: str | None
    """The correlation id of what set the timer; None where a person did."""


class HistoryEntry(NamedTuple):
    """What happened to a token at an element."""

    element_id: str
    event: str
    at: datetime
    token: int
    values: dict[str, Any]
    flows: list[str]


class HistoryRow(NamedTuple):
    """What happened in a step of an instance, as it is stored: the first entry in fields of its own."""

    id: int
    element_id: str
    event: str
    at: datetime
    token: int
    values: dict[str, Any]
    flows: list[str]
    more: list[dict[str, Any]] | None
    """The entries behind the first."""
