"""The fields of a subscription, as the messages about it have them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Integer
from bpm.bus.messages import WireModel
from bpm.events.names import EventPattern

Patterns = Annotated[list[EventPattern], Field(min_length=1, max_length=200)]
Url = Annotated[str, Field(min_length=1, max_length=2_048)]
Name = Annotated[str, Field(max_length=200)]
Description = Annotated[str, Field(max_length=1_000)]
Headers = dict[str, str]
Source = Annotated[str, Field(min_length=1, max_length=1_000)]
Retries = Annotated[Integer, Field(ge=0, le=20)]
Timeout = Annotated[Integer, Field(ge=1, le=120)]
InFlight = Annotated[Integer, Field(ge=1, le=100)]
Rate = Annotated[float, Field(ge=0.001, le=1_000)]
Dialect = Literal["standard", "mokapen", "plandocket", "donutwork"]
Format = Literal["standard", "cloudevents-structured", "cloudevents-binary"]


class Transform(WireModel):
    """What is sent instead of the usual body: a `template` over the event, or a `script` that returns it."""

    template: Any = None
    """A template of the body."""
    script: Annotated[str, Field(min_length=1, max_length=65_536)] | None = None
    """A script that returns the body."""
