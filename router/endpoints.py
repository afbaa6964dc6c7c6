"""The addresses below `/api/webhooks/`: plain ASGI, because this is the path that every provider waits on.

A request is decided about (`router.decision`), put on disk and answered; `sync` rules are executed before the answer.
"""

import time

from starlette.types import Receive, Scope, Send

from bpm.clock import Clock
from bpm.edge.answer import Answer, send_answer
from bpm.edge.body import Body
from bpm.edge.error_boundary import answer_or_problem
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import Incoming, IncomingReader
from bpm.errors import Draining
from bpm.metrics import Counter
from bpm.settings import Settings
from bpm.threads import beside_loop
from bpm.tracing import Tracer
from router.answers import Answers, accepted, isolated
from router.decision import Decision, Lookups, Place, decide
from router.decision.verdict import SIZE, UNANSWERED_CAUSES
from router.fixed_routes import FixedRoutes
from router.immediate import ImmediateExecution
from router.inbox import Inbox
from router.paths import ADDRESSES, decode_path
from router.rates import Rates
from router.request import InboundCall
from router.route_table import RouteTable
from router.spans import is_known, recorded_acceptance
from router.sync_execution import SyncExecution
from router.tables.requests import PENDING


class WebhookEndpoint:
    """Answers every webhook."""

    def __init__(
        self,
        table: RouteTable,
        fixed: FixedRoutes,
        rates: Rates,
        inbox: Inbox,
        sync: SyncExecution,
        immediate: ImmediateExecution,
        answers: Answers,
        settings: Settings,
        clock: Clock,
        lifecycle: Lifecycle,
        tracer: Tracer | None = None,
    ) -> None:
        """Take the parts that a request walks through; a tracer gets spans of what rules and providers are sent."""
        self._table = table
        self._fixed = fixed
        self._lookups = Lookups(count=rates.count, admit=rates.admit)
        self._inbox = inbox
        self._sync = sync
        self._immediate = immediate
        self._answers = answers
        self._limit = settings.max_body_bytes
        self._incoming = IncomingReader(settings, takes_request_ids=False)
        self._clock = clock
        self._lifecycle = lifecycle
        self._tracer = tracer
        self.requests = Counter("bpm_webhook_requests_total", "Requests at webhooks, by the answer's status.", "status")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one that goes away before it was read leaves nothing."""
        request = self._incoming(scope, receive)
        answer = await answer_or_problem(request.request_id, self._answer(self._call(scope, request), request.body))
        if answer is not None:
            self.requests.add(f"{answer.status // 100}xx")
            await send_answer(send, isolated(answer), request.request_id)

    async def _answer(self, call: InboundCall, body: Body) -> Answer:
        if self._lifecycle.draining:
            raise Draining
        began = time.perf_counter()
        decision = await self._decide(call, body)
        if self._tracer is None or not is_known(decision):
            return await self._follow(call, body, decision)
        with recorded_acceptance(self._tracer, call, decision, began):
            return await self._follow(call, body, decision)

    async def _follow(self, call: InboundCall, body: Body, decision: Decision) -> Answer:
        """Do with a request what was decided about it."""
        if decision.spoken is not None:
            return decision.spoken
        if not decision.verdict.passed:
            return await self._refuse(call, body, decision)
        rule = decision.rule
        if rule is not None and rule.executes_first:
            return await self._sync.answer(call, rule, decision.source, decision.delivery_id)
        return await self._accept(call, decision)

    async def _decide(self, call: InboundCall, body: Body) -> Decision:
        """Decide about a request; where no rule answers, once more by what other processes have changed."""
        decision = await self._decide_now(call, body)
        if decision.verdict.cause in UNANSWERED_CAUSES and await self._table.catch_up():
            decision = await self._decide_now(call, body)
        return decision

    async def _decide_now(self, call: InboundCall, body: Body) -> Decision:
        """Decide by the routes that this process knows, reading the body when it is asked for."""
        place = self._place(call.path)
        deciding = decide(call, place, self._lookups)
        try:
            asked = next(deciding)
            while True:
                if isinstance(asked, int):
                    asked = deciding.send(await body.read_within(asked))
                else:
                    asked = deciding.send(await beside_loop(call.weight, asked, place.organization_id))
        except StopIteration as decided:
            return decided.value

    def _place(self, path: str) -> Place:
        fixed = self._fixed.find(path)
        if fixed is not None:
            return Place(fixed=fixed, max_body_bytes=self._limit)
        return Place(self._table.rules_at(path))

    async def _refuse(self, call: InboundCall, body: Body, decision: Decision) -> Answer:
        """Keep what can be kept of a refused request, and say no."""
        verdict = decision.verdict
        if decision.is_kept:
            if not call.body and verdict.cause != SIZE:
                call.body = await body.read_within(self._limit) or b""
            await self._inbox.refuse(call, decision.source, verdict, is_awaited=decision.is_proven)
        if decision.answer is not None:
            return decision.answer
        return self._answers.refused(verdict, call.id, decision.rule)

    async def _accept(self, call: InboundCall, decision: Decision) -> Answer:
        key, answer, rule = decision.delivery_id, decision.answer, decision.rule
        kept = answer if key is not None or rule is None else None
        is_paused = rule is not None and rule.paused
        row = await self._inbox.row_of(call, decision.source, PENDING, dedupe_key=decision.dedupe_key, answer=kept)
        if await self._immediate.execute(call, decision, row):
            return answer or accepted(call.id)
        first = await self._inbox.accept(call, row, decision.lane, paused=is_paused)
        if first is not None:
            await self._inbox.repeat(call, decision.source, first)
            if rule is not None:
                return self._answers.again(first, rule, row["body"], answer)
        return answer or accepted(call.id, 202 if rule is not None and rule.sync else 200)

    def _call(self, scope: Scope, request: Incoming) -> InboundCall:
        return InboundCall(
            method=request.method,
            path=_below_prefix(decode_path(scope["path"], scope.get("raw_path") or b"")),
            headers=request.headers,
            query_string=scope["query_string"].decode("latin-1"),
            address=request.address,
            received_at=self._clock(),
            id=request.request_id,
        )


def _below_prefix(path: str) -> str:
    """Return the part of an address by which rules are found; an address of ours that hides a slash has none."""
    prefix = next((prefix for prefix in ADDRESSES if path.startswith(prefix)), "")
    return path[len(prefix) :].rstrip("/")
