"""Look at captured requests: what came in, why it was refused, what became of it."""

from typing import Annotated

from pydantic import Field

from bpm.accounts.tables import select_audit_entries
from bpm.bus import Context, Id, PagedQuery, Query, View, handles
from bpm.errors import Forbidden, Invalid
from bpm.security.permissions import INSTALLATION
from bpm.security.redaction import REDACTED
from bpm.security.references import FOREIGN, REFER, References, is_reference, may_refer
from bpm.security.secrets import SecretBox, SecretError
from bpm.settings import Settings
from bpm.signatures import STORED, RequestAddress, SignatureConfig, TrustSources, explain
from commands.inbound.lookup import get_or_404, select_matching
from commands.inbound.views import InboundRequestDetailView, InboundRequestPage, to_detail_view, to_view
from router.attempts.tables import select_attempts
from router.config_secrets import open_definition
from router.paths import ADDRESSES
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.tables import configs, requests
from router.tables.requests import InboundRequest, RequestRow, State

MAX_COMMANDS_SHOWN = 100
RequestId = Annotated[str, Field(min_length=1, max_length=100)]


class GetInboundRequestListQuery(PagedQuery[InboundRequestPage]):
    """List captured requests, the newest first; `searchText` looks into bodies, paths and keys.

    A search looks through the newest 25,000 requests (32 MiB of bodies) that the other filters leave and says in
    `searchedSince` how far back that was; to look further back, send that as `endDate`. `verdict` is `passed` or
    the cause of a refusal: unknown, disabled, method, address, rate, size, signature, keys, duplicate, malformed
    or broken; `discarded` is that of a request somebody gave up.
    """

    permission = "inbound:read"
    succeeded = "Inbound requests retrieved successfully"

    state: State | None = None
    """Only requests in this state."""
    verdict: Annotated[str, Field(max_length=50)] | None = None
    config_id: Id | None = None
    config_key: Annotated[str, Field(max_length=100)] | None = None
    provider: Annotated[str, Field(max_length=100)] | None = None
    address: Annotated[str, Field(max_length=100)] | None = None


@handles
def list_requests(query: GetInboundRequestListQuery, context: Context) -> InboundRequestPage:
    """Return one page."""
    statement, since = select_matching(
        context,
        query.search_text,
        query.start_date,
        query.end_date,
        state=query.state,
        cause=query.verdict,
        config_id=query.config_id,
        config_key=query.config_key,
        provider=query.provider,
        address=query.address,
    )
    page = query.page(
        context,
        statement,
        InboundRequest,
        to_view,
        created="received_at",
        sortable={"receivedAt": "received_at", "createdAt": "received_at"},
        unloaded=requests.BODIES,
    )
    return InboundRequestPage(**dict(page), searched_since=since)


class GetInboundRequestByIdQuery(Query[InboundRequestDetailView]):
    """Return one captured request with its body, its headers minus credentials, and all that became of it."""

    permission = "inbound:read"
    succeeded = "Inbound request retrieved successfully"
    failed = "Inbound request not found"

    request_id: RequestId


@handles
def get(query: GetInboundRequestByIdQuery, context: Context) -> InboundRequestDetailView:
    """Look it up, and the commands it caused in the audit log."""
    row = get_or_404(query.request_id, context)
    caused = select_audit_entries(None, correlation_id=row.request_id).limit(MAX_COMMANDS_SHOWN)
    history = context.session.exec(select_attempts(row.request_id)).all()
    return to_detail_view(row, context.session.exec(caused).all(), history)


class SignatureExplanationView(View):
    """Why a signature was refused: `failed` is the part at fault, empty when the signature is right.

    `hints` say what to change; `matchingSchemes` are the presets that accept the request with these secrets.
    """

    ok: bool
    failed: str
    """The part at fault, empty when the signature is right."""
    cause: str
    """Why it was refused."""
    hints: list[str]
    """What to change."""
    matching_schemes: list[str]
    """The presets that accept the request."""


class ExplainSignatureQuery(Query[SignatureExplanationView]):
    """Examine the signature of a captured request, by its configuration or by a draft of `signature`."""

    permission = "inbound:read"
    succeeded = "Signature explained"

    request_id: RequestId
    signature: SignatureConfig | None = None
    """A draft, instead of the rule's own."""


@handles
def explain_signature(
    query: ExplainSignatureQuery, context: Context, secrets_box: SecretBox, settings: Settings, trust: TrustSources
) -> SignatureExplanationView:
    """Ask the signature doctor."""
    row = get_or_404(query.request_id, context)
    if query.signature is not None and any(map(is_reference, query.signature.all_secrets)):
        _check_may_refer(context)
    config = query.signature or _configured(row, context, secrets_box)
    seal = RequestSeal(secrets_box)
    call = seal.whole(row) if query.signature is None else _on_trial(query.signature, row, context, seal)
    resolve = References(settings.references).resolver(context.organization_id)
    address = RequestAddress(call.method, f"{ADDRESSES[0]}{call.path}", call.query_string, settings.base_url)
    found = explain(
        config,
        call.body,
        call.headers,
        call.received_at.timestamp(),
        resolve,
        address,
        trust.of(context.organization_id),
    )
    view = SignatureExplanationView.model_validate(found)
    scheme = config.to_scheme()
    hidden = {call.headers.get(name) for name in scheme.proving_headers}
    if REDACTED in hidden or (query.signature is not None and scheme.name == "custom" and scheme.reads_fields):
        view.hints.append("the header is hidden from a draft of `signature`; examine it by the saved configuration")
    elif hidden == {None} and scheme.kind == "static":
        view.hints.append("a request that came before credentials were sealed has none: they were never stored")
    return view


def _on_trial(draft: SignatureConfig, row: RequestRow, context: Context, seal: RequestSeal) -> InboundCall:
    """Return the request as a draft sees it: who may send it again may also have its signature looked at."""
    return seal.for_trial(row, draft.to_scheme() if context.principal.allows("inbound:write") else None)


def _configured(row: RequestRow, context: Context, box: SecretBox) -> SignatureConfig:
    config = configs.config_by_id(context.tx, context.organization_id, row.config_id or 0)
    try:
        definition = open_definition(config.definition, box) if config is not None else {}
    except SecretError as error:
        raise Invalid(f"signature.secret: {error}") from error
    if definition.get("signature") is None:
        raise Invalid("signature: is required, since the request belongs to no configuration that has one")
    return SignatureConfig.model_validate(definition["signature"], context=STORED)


def _check_may_refer(context: Context) -> None:
    """A reference makes the server read a variable or file: only who may save one may try one."""
    if context.organization_id != INSTALLATION:
        raise Forbidden(f"signature.secret: {FOREIGN}")
    if not may_refer(context.principal):
        raise Forbidden(f"signature.secret: a reference (env:, file:) needs the permission {REFER}")
