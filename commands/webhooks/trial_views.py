"""What a dry run of a webhook configuration found, station by station."""

from typing import Any

from pydantic import Field

from bpm.bus import View


class RouteTrialView(View):
    """Whether the configuration answers the address, with which path parameters.

    `answeredBy` is the key of your configuration that answers there at present, which may be another one.
    """

    matches: bool
    parameters: dict[str, str] = Field(default_factory=dict[str, str])
    answered_by: str | None = None


class HandshakeTrialView(View):
    """The provider's question is answered like this, and nothing else happens."""

    status: int
    content_type: str
    body: str


class VerdictTrialView(View):
    """Whether the request would be executed, else the cause and what is the matter."""

    passed: bool
    cause: str | None = None
    detail: str = ""


class MessageTrialView(View):
    """A message that the configuration makes of a request."""

    type: str
    fields: dict[str, Any]


class OutcomeTrialView(View):
    """What would become of a message; `sent` are the messages that its handler would send one by one."""

    message: MessageTrialView
    ok: bool
    data: Any = None
    errors: list[str] = Field(default_factory=list[str])
    sent: "list[OutcomeTrialView]" = Field(default_factory=list["OutcomeTrialView"])


class WebHookTrialView(View):
    """A dry run: `wouldExecute` sums it up, `problems` would keep the draft from being saved.

    Mapping and outcome are shown for a refused request too; `errors` says why there is none.
    """

    would_execute: bool
    problems: list[str]
    warnings: list[str]
    route: RouteTrialView
    handshake: HandshakeTrialView | None = None
    verdict: VerdictTrialView
    outcome: OutcomeTrialView | None = None
    errors: list[str] = Field(default_factory=list[str])
