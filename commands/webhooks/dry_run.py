"""Dry runs: what a configuration, saved or a draft, would do with a request."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, DryRunResult, EffectContext, Id, Message, Registry, WireModel, handles
from bpm.errors import BpmError, NotFound
from bpm.exact_json import plain, write_json
from bpm.expressions import EvaluationError
from bpm.security.permissions import Permission, Principal, shared_permissions
from bpm.security.redaction import redacted
from bpm.security.secret_names import SOURCE_NAMES
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.signatures import TrustSources
from commands.webhooks.dry_run_views import (
    HandshakeTrialView,
    MessageTrialView,
    OutcomeTrialView,
    RouteTrialView,
    VerdictTrialView,
    WebHookTrialView,
)
from commands.webhooks.shown_fields import TriedFields
from commands.webhooks.subject import find_subject, row_of, subject_problems
from router.backtest import is_proof_hidden
from router.decision import HANDSHAKE, SIGNATURE, Decision, Lookups, Place, decide_for, decide_whole
from router.decision.verdict import CONDITION
from router.execution_types import ExecutionType
from router.paths import ADDRESSES, values_at
from router.request import InboundCall
from router.request_messages import RequestMessages
from router.request_seal import RequestSeal
from router.route_table import RouteTable
from router.rule import Rule, hide_alike
from router.rule_compiler import RuleCompiler
from router.tables import deduplication, requests
from scripts import Sandbox

READ_REQUESTS: Permission = "inbound:read"
"""To see captured requests: a rule that is tried with them shows what is in them."""


class SampleRequest(WireModel):
    """A request made up for a dry run; a `body` that is not text is sent as JSON.

    Left out, method and path are the configuration's own.
    """

    method: Annotated[str, Field(max_length=20)] | None = None
    path: Annotated[str, Field(max_length=2000)] | None = None
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    query: Annotated[str, Field(max_length=8000)] = ""
    """The query, as it stands behind the `?`."""
    body: Any = None
    """The body: text, or what is sent as JSON."""
    address: Annotated[str, Field(max_length=100)] = "127.0.0.1"


class TestWebHookConfigCommand(Command[WebHookTrialView]):
    """Say what a configuration would do with a request, and do nothing.

    The configuration is a saved one (`id`) or a saved draft (`draftId`), which need `webhooks:read` as well, one that
    is not saved (`config`), or changes to a saved one (both). The request is made up (`request`) or one that was
    captured (`requestId`), which needs `inbound:read` as well. Every transaction is undone, and what reaches outside
    the database is not sent.
    """

    permission = "webhooks:write"
    succeeded = "Webhook configuration tested"
    failed = "Test failed"
    sources = SOURCE_NAMES
    sample = {"id": 1, "request": {"body": {"order": 7}}}

    id: Id | None = None
    config: TriedFields | None = None
    """A configuration that is not saved, or changes to the one that `id` names."""
    draft_id: Id | None = None
    """A draft that was saved."""
    request: SampleRequest | None = None
    """A request that is made up."""
    request_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """A configuration and one request are needed."""
        if (fields.get("request") is None) == (fields.get("requestId") is None):
            yield "request: either it or requestId is required"
        yield from subject_problems(fields)


@handles
async def test(
    command: TestWebHookConfigCommand,
    context: EffectContext,
    registry: Registry,
    sandbox: Sandbox,
    secrets_box: SecretBox,
    settings: Settings,
    trust: TrustSources,
    routes: RouteTable,
    messages: RequestMessages,
) -> WebHookTrialView:
    """Walk the stations of a request: route, decision, mapping, execution."""
    subject = await find_subject(command, context, registry, secrets_box)
    findings = await subject.check_code(sandbox, context.organization_id)
    row = await context.read(lambda inside: row_of(subject, findings, inside, registry, secrets_box))
    rule = RuleCompiler(registry, secrets_box, settings, trust)(row)
    rule, *others = hide_alike([rule, *routes.rules_beside(rule)])
    call = await context.read(lambda inside: _call(command, rule, inside, RequestSeal(secrets_box)))
    decision = await context.read(lambda inside: _decide(rule, others, call, inside))
    values = values_at(rule.path, call.path)
    view = WebHookTrialView(
        would_execute=False,
        problems=[*findings.invalid, *findings.conflicts],
        warnings=findings.warnings,
        route=RouteTrialView(
            matches=values is not None or (call.path == rule.key != ""),
            parameters=values or {},
            answered_by=_answering(routes, call, rule.organization_id),
        ),
        handshake=_handshake(decision),
        verdict=_verdict(decision, rule, call),
    )
    try:
        message = _message(rule, call)
        sender = context.principal if subject.is_own else await sender_of(rule, messages, context)
    except (BpmError, EvaluationError, ValueError) as error:
        view.errors = list(error.errors) if isinstance(error, BpmError) else [str(error)]
        return view
    view.outcome = _to_outcome_view(await context.rehearse(message, sender), registry)
    view.would_execute = view.route.matches and view.verdict.passed and not view.problems
    return view


def _call(command: TestWebHookConfigCommand, rule: Rule, context: Context, seal: RequestSeal) -> InboundCall:
    if command.request is not None:
        return _sample(command.request, rule, context)
    context.require(context.principal, READ_REQUESTS, "Trying a captured request")
    captured = requests.find_request(context.tx, context.organization_id, command.request_id or "")
    if captured is None:
        raise NotFound("requestId: no inbound request found with the specified ID")
    return seal.for_trial(captured, rule.verifier.scheme if rule.verifier is not None else None)


def _sample(request: SampleRequest, rule: Rule, context: Context) -> InboundCall:
    path = request.path if request.path is not None else rule.path
    for prefix in ADDRESSES:
        path = path.removeprefix(prefix)
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = b""
    if isinstance(request.body, str):
        body = request.body.encode()
    elif request.body is not None:
        body = write_json(request.body)
        headers.setdefault("content-type", "application/json")
    return InboundCall(
        method=(request.method or rule.methods[0]).upper(),
        path=path.strip("/"),
        headers=headers,
        query_string=request.query.removeprefix("?"),
        address=request.address,
        received_at=context.now(),
        body=body,
    )


def _answering(routes: RouteTable, call: InboundCall, organization_id: int) -> str | None:
    """Return the key of the organisation's configuration that answers at present; another's is not named."""
    decision = decide_whole(call, Place(routes.rules_at(call.path)))
    rule = decision.rule if decision.verdict.cause not in ("method", CONDITION) else None
    return rule.key if rule is not None and rule.organization_id == organization_id else None


def _decide(rule: Rule, others: Sequence[Rule], call: InboundCall, context: Context) -> Decision:
    """Decide as for live traffic, but without counting."""

    def first_with(key: str, call: InboundCall) -> str | None:
        first = deduplication.known_request(context.tx, key, call.received_at)
        return first.request_id if first is not None and first.request_id != call.id else None

    return decide_for(rule, others, call, Lookups(first_with=first_with))


def _handshake(decision: Decision) -> HandshakeTrialView | None:
    answer = decision.spoken
    if answer is None or decision.verdict.cause != HANDSHAKE:
        return None
    body = answer.body.decode("utf-8", "replace")
    return HandshakeTrialView(status=answer.status, content_type=answer.content_type, body=body)


def _verdict(decision: Decision, rule: Rule, call: InboundCall) -> VerdictTrialView:
    verdict, detail = decision.verdict, decision.verdict.detail
    if verdict.cause == SIGNATURE and is_proof_hidden(rule, call):
        detail += "; the header is a credential of a captured request, which a trial may not look at"
    return VerdictTrialView(passed=verdict.passed, cause=verdict.cause, detail=detail)


def _message(rule: Rule, call: InboundCall) -> Message[Any]:
    message = rule.message(call)
    if rule.fields.execution_type is ExecutionType.PROCESS:  # nobody waits for an instance that will not be
        return message.model_copy(update={"execution_mode": "FireAndForget"})
    return message


async def sender_of(rule: Rule, messages: RequestMessages, context: EffectContext) -> Principal:
    """Return the rule's principal, with what the tester may do as well."""
    principal = await messages.principal_of(rule)
    authority = principal.standing.joined(context.principal.standing)
    may = shared_permissions(principal.permissions, context.principal.permissions)
    return replace(principal, permissions=may, authority=authority)


def _to_outcome_view(rehearsed: DryRunResult, registry: Registry) -> OutcomeTrialView:
    message, outcome = rehearsed.envelope.message, rehearsed.outcome
    fields = plain(message, exclude_unset=True)
    return OutcomeTrialView(
        message=MessageTrialView(type=rehearsed.envelope.name, fields=redacted(fields, message.secrets)),
        ok=outcome.ok,
        data=redacted(registry.plain(message, outcome.data)) if outcome.error is None else None,
        errors=list(outcome.error.errors) if outcome.error is not None else [],
        sent=[_to_outcome_view(inner, registry) for inner in rehearsed.sent],
    )
