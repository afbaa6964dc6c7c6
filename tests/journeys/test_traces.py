"""A request is followed through a collector: from the bytes to its deliveries, over processes that share the store."""

from collections.abc import Sequence
from typing import Any

import pytest

from bpm.testing import PreparedAnswer, ServerProcess, WebhookReceiver, running_app, until
from tests.bpm.tracing.collector import CollectedSpan, spans_of

pytestmark = pytest.mark.anyio

THEIRS = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
FOREIGN = {"traceparent": f"00-{THEIRS[0]}-{THEIRS[1]}-01"}
CANARY = "canary-9f3k2"
SECONDS = 60
SERVER, INTERNAL, CLIENT, CONSUMER = 2, 1, 3, 5
PUBLISH = {"event": "order.paid", "data": "{{payload}}"}
LOOPBACK = {"BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8"}


async def collected(collector: WebhookReceiver, *names: str) -> Sequence[CollectedSpan]:
    """Wait until a span of every name has come, and return all there are."""
    return await until(
        lambda: spans_of(collector.requests),
        lambda spans: set(names) <= {span.name for span in spans},
        seconds=SECONDS,
    )


def named(spans: Sequence[CollectedSpan], name: str, trace_id: str) -> CollectedSpan:
    """Return the span of a name in a trace; there is one."""
    (found,) = [span for span in spans if span.name == name and span.trace_id == trace_id]
    return found


async def publish_rule(server: Any) -> None:
    await server.rule("orders", commandName="PublishEventCommand", parameters=PUBLISH)


async def test_a_trace_leads_from_a_request_to_its_receiver() -> None:
    """Accept, execute and deliver are one trace; the sender's own is linked, the receiver gets ours, bodies stay."""
    async with WebhookReceiver() as collector, WebhookReceiver() as receiver:
        traced = {"BPM_TRACES__ENDPOINT": collector.url, "BPM_TRACES__HEADERS": "api-key=c0llect"}
        async with ServerProcess(**LOOPBACK, **traced, BPM_LOG_LEVEL="debug") as server:
            await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["order.*"])
            await publish_rule(server)
            receiver.requests.clear()
            taken = await server.hook("orders", {"word": CANARY}, {**FOREIGN, "X-Api-Key": CANARY})
            (delivered,) = await receiver.wait_for(1, SECONDS)
            request_id = taken.headers["x-request-id"]
            trace_id = request_id.replace("-", "")
            spans = await collected(collector, "accept orders", "execute PublishEventCommand", "deliver order.paid")
            found = await server.cmd("GetTraceQuery", id=trace_id)
            log = server.log
    accept = named(spans, "accept orders", trace_id)
    execute = named(spans, "execute PublishEventCommand", trace_id)
    deliver = named(spans, "deliver order.paid", trace_id)
    assert (accept.kind, accept.parent_id, accept.links) == (SERVER, "", [THEIRS])
    assert (execute.kind, execute.parent_id, execute.is_failed) == (INTERNAL, accept.span_id, False)
    assert (deliver.kind, deliver.parent_id, deliver.is_failed) == (CLIENT, accept.span_id, False)
    assert deliver.attributes["http.response.status_code"] == 200
    assert delivered.headers["traceparent"] == f"00-{trace_id}-{deliver.span_id}-01"
    assert found["correlationId"] == request_id
    assert f'"trace_id": "{trace_id}"' in log
    assert accept.service == "bpm-bus"
    assert all(request.headers["api-key"] == "c0llect" for request in collector.requests)
    assert CANARY not in repr(spans)


async def test_a_replay_and_a_request_made_by_hand_are_linked() -> None:
    """A replay stands in the request's trace and is linked with whoever wanted it; a new request with the old one."""
    async with WebhookReceiver() as collector, running_app(traces={"endpoint": collector.url}) as app:
        await publish_rule(app)
        request_id = (await app.hook("orders", {"n": 1})).headers["x-request-id"]
        await app.settled(SECONDS)
        await app.cmd("ReplayInboundRequestCommand", requestId=request_id, force=True)
        resent = await app.cmd("ResendInboundRequestCommand", requestId=request_id, body='{"n": 2}')
        spans = await collected(collector, "replay", "resend", "execute ReplayInboundRequestCommand")
    old, new = request_id.replace("-", ""), resent["requestId"].replace("-", "")
    accept = named(spans, "accept orders", old)
    command = next(span for span in spans if span.name == "execute ReplayInboundRequestCommand")
    assert named(spans, "replay", old).links == [(command.trace_id, command.span_id)]
    assert named(spans, "replay", command.trace_id).links == [(old, accept.span_id)]
    resend = named(spans, "resend", new)
    assert resend.parent_id == ""
    assert (old, accept.span_id) in resend.links


async def test_a_caller_of_the_api_is_linked_and_can_not_forge_a_trace() -> None:
    """What the header names is linked when it is one, and left out when it is not; the trace stays our own."""
    async with WebhookReceiver() as collector, running_app(traces={"endpoint": collector.url}) as app:
        good = await app.send("PingQuery", {}, FOREIGN)
        bad = await app.send("PingQuery", {}, {"traceparent": "00-zz-1-01"})
        ids = [reply.headers["x-request-id"].replace("-", "") for reply in (good, bad)]
        spans = await until(
            lambda: spans_of(collector.requests),
            lambda found: set(ids) <= {span.trace_id for span in found},
            seconds=SECONDS,
        )
    first, second = (named(spans, "execute PingQuery", id_) for id_ in ids)
    assert first.links == [THEIRS]
    assert second.links == []
    assert first.parent_id == second.parent_id == ""


async def test_nothing_is_traced_and_no_header_is_sent_without_a_collector() -> None:
    """Traces are off until a collector is named: receivers get no `traceparent`."""
    async with WebhookReceiver() as receiver, running_app(delivery={"allowed_networks": "127.0.0.0/8"}) as app:
        await app.cmd("CreateSubscriptionCommand", url=receiver.url, events=["order.*"])
        await app.cmd("PublishEventCommand", event="order.paid", data={})
        (delivered,) = await receiver.wait_for(1, SECONDS)
        assert app.app.bus.tracer is None
    assert "traceparent" not in delivered.headers


async def test_a_collector_that_refuses_harms_nobody() -> None:
    """Requests are taken and executed as before; the spans count as failed."""
    async with WebhookReceiver() as collector, running_app(traces={"endpoint": collector.url}) as app:
        collector.answer(*[PreparedAnswer(400) for _ in range(1_000)])
        await publish_rule(app)
        assert (await app.hook("orders", {"n": 1})).status == 200
        await app.settled(SECONDS)
        tracer = app.app.tracer
        assert tracer is not None
        await until(
            lambda: [labels for _, labels, _ in tracer.spans.samples()],
            lambda found: {"outcome": "failed"} in found,
            seconds=SECONDS,
        )
