"""A webhook configuration as it is written and read on the wire."""

import re
from typing import Annotated, Any, Literal

from limits import RateLimitItem, parse
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from bpm.bus import Id, WireModel
from bpm.bus.messages import Integer
from bpm.bus.paging import When
from bpm.exact_json import plain
from bpm.expressions import ExpressionError, compile_expression, compile_template
from bpm.jobs import RetryPolicy
from bpm.security.net import AddressList
from bpm.signatures import SignatureConfig
from router.answer_headers import HeaderTemplates
from router.deduplication import check_deduplication
from router.execution_types import ExecutionType, read_execution_type
from router.handshakes import HandshakeConfig
from router.mapping import MEDIA_TYPE, charset_problem
from router.paths import normalise
from router.rule_keys import KeysConfig

KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")
RATE = re.compile(
    r"\s*[0-9]{1,9}\s*(?:/|per)\s*(?:[1-9][0-9]{0,4}\s*)?(?:second|minute|hour|day|month|year)s?\s*", re.IGNORECASE
)
"""A rate as a whole: of several, as in `1/second;100/hour`, only the first would be counted."""
MAX_STEPS = 50
"""How many steps a chain may have."""
MAX_ORDER = 1_000_000
"""The highest `order` of a rule that has a condition."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


def _template(value: object) -> Any:
    try:
        compile_template(value)
    except ExpressionError as error:
        raise ValueError(str(error)) from error
    return value


def _condition(source: str) -> str:
    try:
        compile_expression(source)
    except ExpressionError as error:
        raise ValueError(str(error)) from error
    return source


def _addresses(value: str) -> str:
    if not AddressList.parse(value) and value.strip():
        raise ValueError("must name an address or a range; leave it out to allow all")
    return value


def _rate(value: str, info: ValidationInfo) -> str:
    parse_rate(value)
    if not (info.context and info.context.get("stored")) and not RATE.fullmatch(value):
        raise ValueError("must be one count and one period, as in 100/minute or 5 per 10 seconds")
    return value


def _path(value: str) -> str:
    return normalise(value)


def _deduplication(value: str | list[str], info: ValidationInfo) -> str | list[str]:
    if not (info.context and info.context.get("stored")):
        check_deduplication(value)
    return value


def _content_type(value: str) -> str:
    problem = charset_problem(value)
    if problem is not None:
        raise ValueError(problem)
    return value


def _label(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of printable characters")
    return value


Label = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_label)]
Template = Annotated[Any, AfterValidator(_template)]
Condition = Annotated[str, Field(max_length=4096), AfterValidator(_condition)]
Type = Annotated[ExecutionType, BeforeValidator(read_execution_type)]
Place = Annotated[str, Field(max_length=300)]


class ChainStep(WireModel):
    """One step of a command chain; without `parameters` its fields are the payload's of the same name."""

    command_name: Annotated[str, Field(min_length=1, max_length=200)]
    parameters: Annotated[dict[str, Any], AfterValidator(_template)] | None = None
    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")] | None = None
    """By which later steps and conditions name its result."""
    when: Condition | None = None
    """A condition; the step is passed over when it does not hold."""
    on_error: Literal["stop", "continue"] = "stop"
    """Whether the chain goes on when it fails."""
    compensation: "Compensation | None" = None
    """What undoes it when a later step fails."""


class Compensation(WireModel):
    """The command that makes a step undone when a later one fails."""

    command_name: Annotated[str, Field(min_length=1, max_length=200)]
    parameters: Annotated[dict[str, Any], AfterValidator(_template)] = Field(default_factory=dict[str, Any])


Steps = Annotated[list[ChainStep], Field(min_length=1, max_length=MAX_STEPS)]


class RefusedConfig(WireModel):
    """How refused requests are answered: without a body, and with `status` where the signature is wrong (401)."""

    status: Annotated[Integer, Field(ge=400, le=499)] | None = None
    """The HTTP status where the signature is wrong."""
    bodiless: bool = True
    """Whether the answer has no body."""


class ResponseConfig(WireModel):
    """The answer for providers that insist on one; `body` and `headers` are templates, text is sent as it is.

    Without a `body` refused requests are answered without one, too, unless `refused` says otherwise.
    """

    status: Annotated[Integer, Field(ge=200, le=599)] = 200
    """The HTTP status."""
    content_type: Annotated[str, Field(max_length=100, pattern=r"^[\x21-\x7e][\x20-\x7e]*$")] | None = None
    headers: HeaderTemplates = Field(default_factory=dict[str, str])
    """Templates of headers by name."""
    body: Template = None
    """A template of the body."""
    refused: RefusedConfig | None = None
    """How refused requests are answered."""

    @property
    def form_of_refusals(self) -> RefusedConfig:
        """How refused requests are answered."""
        return self.refused or RefusedConfig(bodiless=self.body is None)


class RetryConfig(WireModel):
    """How often a failing execution is tried, and how long to wait: `backoffSeconds` between the tries."""

    attempts: Annotated[Integer, Field(ge=1, le=50)] = 5
    """How often it is tried."""
    backoff_seconds: Annotated[list[Annotated[float, Field(ge=0, le=86_400)]], Field(min_length=1, max_length=50)] = (
        Field(default_factory=lambda: [10.0, 60.0, 600.0, 6_600.0])
    )
    """How long to wait before each further try; the last goes on."""
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.1
    """By which part of itself a wait may differ."""

    def policy(self) -> RetryPolicy:
        """Return it as executions follow it."""
        return RetryPolicy(self.attempts, tuple(self.backoff_seconds), self.jitter)


class LaneConfig(WireModel):
    """How many requests with the same key are executed at once, and how many of them a second.

    With `maxInFlight` 1 they are executed in the order in which they came, also while one waits for its next try.
    """

    key: Template = None
    """A template: requests for which it is the same share a lane."""
    max_in_flight: Annotated[Integer, Field(ge=1, le=1_000)] = 1
    rate_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None


class RateConfig(WireModel):
    """How many requests with the same key are taken: `burst` at once, and `perSecond` from then on.

    Without `key` all requests of the rule are counted together; without `burst` as many as a second has, at least one.
    """

    per_second: Annotated[float, Field(ge=0.000_01, le=10_000)]
    """How many a second."""
    burst: Annotated[Integer, Field(ge=1, le=10_000)] | None = None
    """How many at once."""
    key: Template = None
    """A template: requests for which it is the same are counted together."""


class CorrelationConfig(WireModel):
    """Which waiting process instance a request belongs to."""

    message_name: Annotated[str, Field(min_length=1, max_length=200)]
    key: Template = None
    """A template of the value that the waiting instance and the message share."""


class WebHookFields(WireModel):
    """Everything of a configuration but its key and id."""

    description: Annotated[str, Field(min_length=1, max_length=500)]
    is_enabled: bool
    path: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_path)]
    """The path that it answers, with `{names}` for its variable parts."""
    action: Method
    """The HTTP method that it answers."""
    more_methods: Annotated[list[Method], Field(max_length=4)] = Field(default_factory=list[Method])
    """Further methods that it answers."""
    when: Condition | None = None
    """A condition over payload, headers, query and method: other requests are not its own."""
    order: Annotated[Integer, Field(ge=1, le=MAX_ORDER)] | None = None
    """Which of several rules at an address is asked first; the smallest is."""
    expires_at: When | None = None
    execution_type: Type
    """What is executed: 0 a command, 1 a chain of commands, 2 a script, 3 a process."""
    command_name: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """The `$type` of the command, of type 0."""
    command_chain: Steps | None = None
    """The steps, of type 1."""
    execution_code: Annotated[str, Field(min_length=1, max_length=65_536)] | None = None
    """The script, of type 2."""
    process_definition_id: Id | None = None
    """The version of the process that is started, of type 3."""
    allowable_ips: Annotated[str, Field(max_length=10_000), AfterValidator(_addresses)] | None = Field(
        default=None, alias="allowableIPs"
    )
    """Addresses and networks that may send, separated by commas."""
    parameters: Annotated[dict[str, Any], AfterValidator(_template)] | None = None
    signature: SignatureConfig | None = None
    """How requests prove whose they are."""
    handshake: HandshakeConfig | None = None
    """How the provider's question is answered."""
    keys: KeysConfig | None = None
    """The keys that `hmac()` knows by their names."""
    response_mode: Literal["async", "sync"] = "async"
    """Whether the answer waits for the execution."""
    response: ResponseConfig | None = None
    """The answer, for providers that insist on one."""
    deduplication: Annotated[Place | list[Place], AfterValidator(_deduplication)] | None = None
    """Where the id stands by which a repeated request is known."""
    rate_limit: Annotated[str, Field(max_length=50), AfterValidator(_rate)] | None = None
    """How many requests are taken, as in `100/minute`."""
    rate: RateConfig | None = None
    """How many requests with the same key are taken."""
    content_type: Annotated[str, Field(max_length=200, pattern=MEDIA_TYPE), AfterValidator(_content_type)] | None = None
    max_body_bytes: Annotated[Integer, Field(ge=1, le=16 * 1024 * 1024)] | None = None
    """The longest body."""
    run_as: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """The account as which it acts; its author, if left out."""
    retry: RetryConfig | None = None
    """How often a failing execution is tried."""
    lane: LaneConfig | None = None
    """Which requests are executed in order, and at which pace."""
    retention_days: Annotated[Integer, Field(ge=1, le=36_500)] | None = None
    """How many days its requests are kept; as long as the installation keeps them, if left out."""
    labels: Annotated[list[Label], Field(max_length=50)] = Field(default_factory=list[Label])
    metadata: dict[str, Any] | None = None
    isolation: Literal["run", "rule"] | None = None
    business_key: Template = None
    start_policy: Literal["start", "correlate", "correlateOrStart"] | None = None
    correlation: CorrelationConfig | None = None
    """Which waiting process instance a request belongs to."""


def definition_of(fields: WebHookFields) -> dict[str, Any]:
    """Return what was set, as on the wire."""
    names = set(WebHookFields.model_fields)
    return plain(fields, include=names, exclude_unset=True, exclude_none=True)


def place_among(order: int | None) -> int:
    """Return where a rule with an `order` stands among those at its address: one without, and so no condition, last."""
    return order if isinstance(order, int) else MAX_ORDER + 1


def parse_rate(text: str) -> RateLimitItem:
    """Read `100/minute`, `5 per second`; raises `ValueError` with examples."""
    try:
        rate = parse(text)
    except ValueError:
        raise ValueError("must be a count and a period, as in 100/minute or 5/second") from None
    if rate.amount < 1:
        raise ValueError("must let at least one request through, as in 1/minute; switch the rule off to refuse all")
    return rate
