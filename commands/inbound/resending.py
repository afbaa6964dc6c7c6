"""Send a captured request again as a new one, edited."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, EffectContext, handles
from bpm.errors import Invalid
from bpm.security.permissions import Permission
from bpm.threads import beside_loop
from commands.inbound.lookup import get_or_404
from commands.inbound.selection import RequestId
from commands.inbound.views import InboundRequestView, to_view
from router.replay import Edit, Resends
from router.tables.requests import find_request

WRITE_RULES: Permission = "webhooks:write"
"""To change rules: whoever may can let anything in that they may do, so nothing has to prove what they send."""
HERE = "by hand"
"""The address of what no client sent."""

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
HeaderValue = Annotated[str, Field(max_length=8_000, pattern=r"^[^\r\n\x00]*$")]


class ResendInboundRequestCommand(Command[InboundRequestView]):
    """Send a captured request again as a new one, with another body, query or headers where they are given.

    It goes to the rule that the captured one came to, as it is now. Nothing proves it, and it repeats nothing: it
    needs `webhooks:write` as well, does nothing that you may not do, and says in `resentOf` and `resentBy` where it
    comes from. Headers that were
    hidden are left out; `headers` are added to the others. What was sent to a provider's own address can't be.
    """

    permission = "inbound:write"
    succeeded = "Request sent again"
    failed = "Sending again failed"
    secrets = frozenset({"body", "headers", "query"})

    request_id: RequestId
    body: Annotated[str, Field(max_length=16 * 1024 * 1024)] | None = None
    """Another body."""
    body_encoding: Literal["text", "base64"] = "text"
    """How `body` is written."""
    query: Annotated[str, Field(max_length=8_000)] | None = None
    """Another query, as it stands behind the `?`."""
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=100)] | None = None
    """Headers that are added to the others."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """How the body is written needs a body."""
        if fields.get("bodyEncoding") == "base64" and fields.get("body") is None:
            yield "body: is required with bodyEncoding"


@handles
async def resend(command: ResendInboundRequestCommand, context: EffectContext, resends: Resends) -> InboundRequestView:
    """Make the request outside any transaction, then store it."""
    edit = Edit(_body_of(command), command.headers, command.query)
    row = await context.read(lambda inside: _found(command.request_id, inside))
    size = len(row.body if edit.body is None else edit.body)
    depth = context.envelope.depth
    make = partial(resends.edited, row, edit, HERE, context.now(), depth)
    resent = await beside_loop(size, make, context.organization_id)

    def store(inside: Context) -> InboundRequestView:
        resends.store(inside.tx, resent, row, inside.envelope)
        stored = find_request(inside.tx, inside.organization_id, resent.call.id)
        assert stored is not None
        return to_view(stored)

    return await context.conclude(store)


def _found(request_id: str, context: Context) -> Any:
    context.require(context.principal, WRITE_RULES, "Sending an edited request")
    return get_or_404(request_id, context)


def _body_of(command: ResendInboundRequestCommand) -> bytes | None:
    if command.body is None or command.body_encoding == "text":
        return None if command.body is None else command.body.encode()
    try:
        return b64decode(command.body, validate=True)
    except ValueError as error:
        raise Invalid(f"body: is not base64: {error}") from error
