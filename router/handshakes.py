"""Handshakes: the questions a provider asks before it delivers, answered before any rule runs."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

from pydantic import Field, model_validator

from bpm.bus import Integer, WireModel
from bpm.edge.answer import Answer
from bpm.exact_json import write_json
from bpm.expressions import (
    EvaluationError,
    Expression,
    ExpressionError,
    Template,
    compile_expression,
    compile_template,
)
from bpm.media import json_in_utf8
from bpm.security.references import Resolve
from bpm.strict_json import StrictJsonError, parse_json
from router.answer_headers import HeaderTemplates, compile_headers, to_headers

MAX_CHALLENGE = 4_096
TOKEN = re.compile(r"[A-Za-z0-9+/_-]{1,200}={0,2}")
"""What may be signed for who asks."""
MAX_STEPS = 20_000
"""Steps of telling a question by its condition, and of the answer: anybody may ask."""
UNSNIFFED = (("x-content-type-options", "nosniff"),)
"""What a stranger sent goes back: no browser may take it for a page."""

Parameters = Mapping[str, str]


Host = Annotated[str, Field(pattern=r"^[a-z0-9.{}-]{1,253}(:[0-9]{1,5})?$")]


class HandshakeConfig(WireModel):
    """How a provider's question is recognised and answered.

    `meta`: GET with `hub.challenge`, and `verifyToken`. `slack`: POST `url_verification`. `cloudevents`:
    OPTIONS with `WebHook-Request-Origin`, allowed for `allowedOrigins` (all if there are none). `echo`: when
    the condition `when` over payload, headers, query and method holds, the answer is the template `body`, with
    `headers` if there are any. `crc`: the same, and the templates also see `digest`, the HMAC-SHA256 of the template
    `challenge` by `secret`. `confirm`: the request is executed as every other one once its signature is right,
    but by opening the template `address`, which must be of one of the `hosts`.
    """

    kind: Literal["meta", "slack", "cloudevents", "echo", "crc", "confirm"]
    """Which question is asked."""
    secret: Annotated[str, Field(min_length=8, max_length=4096)] | None = Field(default=None, repr=False)
    """What `digest` is made with."""
    challenge: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """A template of what the digest is of."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the digest is written."""
    verify_token: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(default=None, repr=False)
    """The token that the question must bring."""
    allowed_origins: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list[str])
    """The origins that may send; all, if empty."""
    allowed_rate: Annotated[Integer, Field(ge=1, le=1_000_000)] | None = None
    """How many requests a minute are allowed."""
    when: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """A condition by which the question is known."""
    address: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    """A template of the address that is opened."""
    hosts: Annotated[list[Host], Field(max_length=20)] = Field(default_factory=list[Host])
    """The hosts that may be opened; `{region}` stands for a region of Amazon's."""
    body: Any = None
    """A template of the answer."""
    headers: HeaderTemplates = Field(default_factory=dict[str, str])
    """Templates of headers by name."""
    content_type: Literal["text/plain", "application/json"] = "text/plain"
    status: Annotated[Integer, Field(ge=200, le=299)] = 200
    """The HTTP status."""

    @cached_property
    def echo(self) -> tuple[Expression, Template]:
        """When to echo, and what."""
        return compile_expression(self.when or "false", "null"), compile_template(self.body, "null")

    @cached_property
    def confirmation(self) -> tuple[Expression, Template]:
        """When a subscription is to be confirmed, and by which address."""
        return compile_expression(self.when or "false", "null"), compile_template(self.address)

    @cached_property
    def challenge_template(self) -> Template:
        """What of a question is signed."""
        return compile_template(self.challenge, "null")

    @cached_property
    def header_templates(self) -> Template:
        """The headers of an echo."""
        return compile_headers(self.headers)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "meta" and not self.verify_token:
            raise ValueError("verifyToken is required with the handshake meta")
        if self.kind in ("echo", "crc") and (not self.when or self.body is None):
            raise ValueError(f"when and body are required with the handshake {self.kind}")
        if self.kind == "confirm" and not (self.when and self.address and self.hosts):
            raise ValueError("when, address and hosts are required with the handshake confirm")
        if self.kind != "confirm" and (self.address or self.hosts):
            raise ValueError("address and hosts can only be set with the handshake confirm")
        if self.headers and self.kind not in ("echo", "crc"):
            raise ValueError(f"headers can't be set with the handshake {self.kind}, whose provider prescribes them")
        if (self.kind == "crc") != bool(self.secret and self.challenge):
            raise ValueError("secret and challenge are required with the handshake crc, and only there")
        try:
            _ = self.echo, self.challenge_template, self.confirmation
        except ExpressionError as error:
            raise ValueError(str(error)) from error
        return self


def handshake(
    config: HandshakeConfig,
    method: str,
    query: Parameters,
    headers: Parameters,
    body: bytes,
    resolve: Resolve = str,
) -> Answer | None:
    """Answer the provider's question; None if the request is none. Header names are in lower case.

    `resolve` turns the verify token, which may be a reference, into the token itself.
    """
    question = Question(method, query, headers, body)
    return KINDS[config.kind](config, question, resolve)


class Question(NamedTuple):
    """The request that may be a provider's question."""

    method: str
    query: Parameters
    headers: Parameters
    body: bytes

    @property
    def payload(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return parse_json(json_in_utf8(self.headers.get("content-type") or "", self.body))
        except StrictJsonError:
            return None


def _meta(config: HandshakeConfig, question: Question, resolve: Resolve) -> Answer | None:
    """Meta's verification request (developers.facebook.com, Graph API, Webhooks, Getting started)."""
    query = question.query
    if question.method != "GET" or query.get("hub.mode") != "subscribe":
        return None
    if not _is_token(config, resolve, query.get("hub.verify_token")):
        return _refusal("The verify token is not the configured one")
    return _challenge(query.get("hub.challenge"))


def _slack(config: HandshakeConfig, question: Question, resolve: Resolve) -> Answer | None:
    """Slack's url_verification (docs.slack.dev, reference, events)."""
    if question.method != "POST" or b"url_verification" not in question.body:
        return None
    payload = question.payload
    if not isinstance(payload, dict):
        return None
    fields = cast("dict[str, Any]", payload)
    if fields.get("type") != "url_verification":
        return None
    if config.verify_token and not _is_token(config, resolve, fields.get("token")):
        return _refusal("The token is not the configured one")
    return _challenge(fields.get("challenge"))


def _cloudevents(config: HandshakeConfig, question: Question, resolve: Resolve) -> Answer | None:
    """The abuse protection of CloudEvents' HTTP webhooks (http-webhook.md, section 4)."""
    origin = question.headers.get("webhook-request-origin")
    if question.method != "OPTIONS" or not origin:
        return None
    if config.allowed_origins and origin not in config.allowed_origins:
        return _refusal("Deliveries from this origin are not allowed")
    granted = [("allow", "POST"), ("webhook-allowed-origin", origin if config.allowed_origins else "*")]
    if config.allowed_rate or "webhook-request-rate" in question.headers:
        granted.append(("webhook-allowed-rate", str(config.allowed_rate or "*")))
    return Answer(200, headers=tuple(granted))


def _echo(config: HandshakeConfig, question: Question, resolve: Resolve) -> Answer | None:
    """An answer by template, for providers that expect a part of their question back."""
    condition, template = config.echo
    payload = (
        question.payload if "payload" in condition.names | template.names | config.challenge_template.names else None
    )
    scope = {"payload": payload, **question._asdict()}
    try:
        if not condition.holds(scope, MAX_STEPS):
            return None
        if config.kind == "crc":
            scope["digest"] = _digest(config, config.challenge_template.render(scope, MAX_STEPS), resolve)
        value = template.render(scope, MAX_STEPS)
        headers = to_headers(config.header_templates.render(scope, MAX_STEPS))
    except (EvaluationError, ValueError):
        return None
    body = value.encode(errors="replace") if isinstance(value, str) else write_json(value)
    return Answer(config.status, body, f"{config.content_type}; charset=utf-8", (*UNSNIFFED, *headers))


def _confirm(_config: HandshakeConfig, _question: Question, _resolve: Resolve) -> Answer | None:
    """No question is answered at once: the request is verified, stored and executed."""
    return None


KINDS: dict[str, Callable[[HandshakeConfig, Question, Resolve], Answer | None]] = {
    "meta": _meta,
    "slack": _slack,
    "cloudevents": _cloudevents,
    "echo": _echo,
    "crc": _echo,
    "confirm": _confirm,
}


def _digest(config: HandshakeConfig, challenge: object, resolve: Resolve) -> str:
    """Sign what a stranger asks for; raises `ValueError` unless it is a plain token.

    The same secret may sign requests, so nothing that could be one is signed: no brace, dot, colon, quote or blank.
    """
    if not isinstance(challenge, str) or not TOKEN.fullmatch(challenge):
        raise ValueError("the challenge is no token")
    proof = hmac.digest(resolve(config.secret or "").encode(), challenge.encode(), "sha256")
    return proof.hex() if config.encoding == "hex" else b64encode(proof).decode()


def _is_token(config: HandshakeConfig, resolve: Resolve, given: object) -> bool:
    """Compare in constant time; a token that can't be had, or that is empty, is never right."""
    try:
        expected = resolve(config.verify_token or "").encode()
    except ValueError:
        return False
    if not isinstance(given, str) or not expected:
        return False
    ours, theirs = hashlib.sha256(expected), hashlib.sha256(given.encode(errors="replace"))
    return hmac.compare_digest(ours.digest(), theirs.digest())


def _challenge(challenge: object) -> Answer | None:
    """The challenge sent back as plain text; None if there is no sensible one."""
    if not isinstance(challenge, str) or not 0 < len(challenge) <= MAX_CHALLENGE:
        return None
    return Answer(200, challenge.encode(errors="replace"), headers=UNSNIFFED)


def _refusal(sentence: str) -> Answer:
    return Answer(403, sentence.encode())
