"""What starts an instance, and where one stands: the values that pass between the runtime and its callers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bpm.bpmn.state import Caller
from bpm.bus import Context
from bpm.process.parts import Parts
from bpm.process.rows import InstanceRow, WaitRow
from bpm.process.sealing import with_data
from bpm.security.permissions import Principal


class Startable(Protocol):
    """What starting an instance needs to know of a version of a definition."""

    @property
    def id(self) -> int | None:
        """Its number."""
        ...

    @property
    def key(self) -> str:
        """The process's id."""
        ...

    @property
    def is_active(self) -> bool:
        """Whether it may be started."""
        ...


@dataclass(frozen=True, slots=True)
class Parent:
    """The wait of another instance that a called one answers, what is caught around it, and whom it acts for."""

    row: InstanceRow
    wait_id: int
    attempt: int
    caller: Caller
    starter: Principal


@dataclass(frozen=True, slots=True)
class NewInstance:
    """What an instance is started with; `origin` keeps the same request from starting a second one.

    `message` names the message, `element` the start event it begins at; with neither it begins directly.
    `starter` is who it acts for, unless that is the sender.
    """

    variables: Mapping[str, Any]
    business_key: str | None = None
    message: str | None = None
    element: str | None = None
    origin: str | None = None
    starter: Principal | None = None
    parent: Parent | None = None


@dataclass(frozen=True, slots=True)
class InstanceState:
    """Where an instance stands; `waits` are rows of what it waits for."""

    instance_id: int
    status: str
    variables: Mapping[str, Any]
    waits: Sequence[Any]

    @classmethod
    def of_row(cls, context: Context, row: InstanceRow, waits: Sequence[WaitRow]) -> "InstanceState":
        """Read it from the instance's row, and what is stored beside that."""
        variables = dict(Parts(context, row).restored().root_variables)
        return cls(row.id, row.status, variables, [with_data(wait._asdict(), context.box) for wait in waits])
