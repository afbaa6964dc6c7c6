"""What travels on the bus: commands change something, queries do not; each names the type of its result."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from bpm.clock import wire_time
from bpm.number import whole

R = TypeVar("R")


class WireModel(BaseModel):
    """A model with camelCase names on the wire and snake_case ones in Python; unknown fields are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        strict=True,
        ser_json_inf_nan="null",
        hide_input_in_errors=True,
    )


class View(WireModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="ignore", strict=False, from_attributes=True)


class Message(WireModel, Generic[R]):
    """A command or query; its class name is its `$type`, its docstring its description.

    `permission` is what the sender must hold, `succeeded` and `failed` are the texts of the answer,
    `aliases` further names it answers to, `secrets` the fields that no log may show, and `sources` those with source
    code, of which the audit log keeps the fingerprint. An effect that touches
    nothing outside but through its context is `rehearsable` (see `bpm.bus.dry_run`). `time_limit` is how many
    seconds an effect may take; None is the setting `BPM_EFFECT_SECONDS`. `sample` are fields as they are sent, shown as
    an example where required fields alone make none.
    """

    permission: ClassVar[str | None]
    succeeded: ClassVar[str] = "Operation completed successfully"
    failed: ClassVar[str] = "Operation failed"
    aliases: ClassVar[tuple[str, ...]] = ()
    secrets: ClassVar[frozenset[str]] = frozenset()
    sources: ClassVar[frozenset[str]] = frozenset()
    rehearsable: ClassVar[bool] = False
    time_limit: ClassVar[float | None] = None
    sample: ClassVar[Mapping[str, Any] | None] = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Return what is wrong between fields, as sentences; `fields` is the raw body, in any shape."""
        return ()


class Command(Message[R], Generic[R]):
    """A message that changes something."""


class Query(Message[R], Generic[R]):
    """A message that only reads."""


Integer = Annotated[int, BeforeValidator(whole), Field(ge=-(2**63), le=2**63 - 1)]
"""A 64-bit integer; a float without a fraction counts as one, as JSON has only numbers."""

Id = Annotated[int, BeforeValidator(whole), Field(ge=1, le=2**63 - 1)]
"""A row's number."""

Moment = Annotated[
    datetime,
    PlainSerializer(wire_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment, written as ISO 8601 in UTC with milliseconds and `Z`."""
