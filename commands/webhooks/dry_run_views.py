"""What a dry run of a webhook configuration found, station by station."""

from typing import Any

from pydantic import Field

from bpm.bus import View


class RouteTrialView(View):
    """Whether the configuration answers the address, with which path parameters.

    `answeredBy` is the key of your configuration that answers there at present, which may be another one.
    """

    matches: bool
    """Whether it answers the address."""
    parameters: dict[str, str] = Field(default_factory=dict[str, str])
    """What the address gives, by name."""
    answered_by: str | None = None
    """The key of the rule that answers there at present."""


class HandshakeTrialView(View):
    """The provider's question is answered like this, and nothing else happens."""

    status: int
    """The HTTP status."""
    content_type: str
    body: str
    """The body of the answer."""


class VerdictTrialView(View):
    """Whether the request would be executed, else the cause and what is the matter."""

    passed: bool
    """Whether it would be executed."""
    cause: str | None = None
    """Why not."""
    detail: str = ""
    """What is the matter, in words."""


class MessageTrialView(View):
    """A message that the configuration makes of a request."""

    type: str
    """The `$type` of the message."""
    fields: dict[str, Any]


class OutcomeTrialView(View):
    """What would become of a message; `sent` are the messages that its handler would send one by one."""

    message: MessageTrialView
    """The message."""
    ok: bool
    data: Any = None
    """What it would answer."""
    errors: list[str] = Field(default_factory=list[str])
    sent: "list[OutcomeTrialView]" = Field(default_factory=list["OutcomeTrialView"])
    """The messages that its handler would send."""


class WebHookTrialView(View):
    """A dry run: `wouldExecute` sums it up, `problems` would keep the draft from being saved.

    Mapping and outcome are shown for a refused request too; `errors` says why there is none.
    """

    would_execute: bool
    """Whether a message would be executed."""
    problems: list[str]
    """What would keep the draft from being saved."""
    warnings: list[str]
    route: RouteTrialView
    """Whether it answers the address."""
    handshake: HandshakeTrialView | None = None
    """How a provider's question would be answered."""
    verdict: VerdictTrialView
    """How the request would be judged."""
    outcome: OutcomeTrialView | None = None
    """What would become of the message."""
    errors: list[str] = Field(default_factory=list[str])
