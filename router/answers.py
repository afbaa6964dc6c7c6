"""What callers are told: accepted, the outcome, the first answer again, or why not."""

from dataclasses import replace
from typing import Any

from bpm.bus import Outcome
from bpm.edge.answer import JSON, Answer
from bpm.edge.envelope import problem, refusal, success
from bpm.edge.problems import headers_of, status_of
from bpm.errors import BpmError, Defect
from bpm.exact_json import write_json
from router.answer_headers import CONTENT_TYPE, OURS, POLICY
from router.decision.verdict import SIGNATURE, Verdict
from router.execution_types import ExecutionType
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.rule import Rule
from router.tables import requests
from router.tables.requests import RequestRow

SUCCEEDED = "Operation completed successfully"

NOT_EXECUTED = "The request could not be executed"
"""What strangers are told of whatever failed; see `Answers.failed`."""

FIRST_ERROR = 400
"""The lowest status by which a caller is told that its request was not taken."""

SHOWN = frozenset({JSON, f"{JSON}; charset=utf-8", "text/plain", "text/plain; charset=utf-8"})
"""What browsers only show. Other types can hold scripts, also those that only begin so: of several the last counts."""


def accepted(request_id: str, status: int = 200) -> Answer:
    """Say that the request is on disk and will be executed."""
    answer = success(b'{"requestId":"%b"}' % request_id.encode(), "Accepted")
    return answer if status == answer.status else replace(answer, status=status)


def isolated(answer: Answer) -> Answer:
    """Return an answer as it may be given below the console's address: a page in it runs as a stranger's in a browser.

    A provider's own page has a policy already.
    """
    if answer.content_type in SHOWN or any(name.lower() == POLICY for name, _ in answer.headers):
        return answer
    return answer.with_headers((POLICY, "sandbox"))


class Answers:
    """Makes the answers of rules."""

    def __init__(self, seal: RequestSeal) -> None:
        """Take what opens an answer that was given before."""
        self._seal = seal

    def refused(self, verdict: Verdict, request_id: str, rule: Rule | None) -> Answer:
        """Answer a refused request in the form that the rule prescribes, if it does."""
        assert verdict.error is not None
        answer = problem(verdict.error, request_id)
        if rule is None or rule.fields.response is None:
            return answer
        form = rule.fields.response.form_of_refusals
        status = form.status if form.status is not None and verdict.cause == SIGNATURE else answer.status
        return replace(answer, status=status, body=b"" if form.bodiless else answer.body)

    def outcome(self, call: InboundCall, rule: Rule, outcome: Outcome, failed: str) -> Answer:
        """Answer a `sync` request: the script's reply, the prescribed answer, or the outcome's envelope.

        Of a script the caller sees the result; its logs and what it cost are the administrator's.
        """
        if outcome.error is not None:
            return self.failed(call.id, rule, outcome.error, failed)
        if rule.fields.execution_type is not ExecutionType.CODE:
            prescribed = rule.prescribed_answer(call, result=outcome.wire) if rule.response is not None else None
            return prescribed or success(outcome.json or b"null", outcome.message or SUCCEEDED)
        if outcome.data.reply is not None:
            return answer_of_script(outcome.data.reply)
        result = outcome.wire["result"]
        return rule.prescribed_answer(call, result=result) or success(write_json(result), outcome.message or SUCCEEDED)

    def failed(self, request_id: str, rule: Rule, error: BpmError, failed: str = "") -> Answer:
        """Answer a `sync` request whose work failed with `error`; `failed` as in `problem`.

        A caller that nothing verifies learns the status and the request's id: the sentences name lines of scripts,
        steps, elements and what else is stored. They are kept with the request, for those who may read it.
        """
        if rule.knows_its_callers:
            return problem(error, request_id, failed)
        status = status_of(error)
        sentence = f"The request id is {request_id}; whoever runs this address finds the reason there"
        message = Defect().message if status == 500 else NOT_EXECUTED
        return refusal(status, message, [sentence], *headers_of(error))

    def again(self, first: RequestRow, rule: Rule, body: bytes, otherwise: Answer | None = None) -> Answer:
        """Answer a repeated request as the first one was; `body` is its own, as it is stored.

        Where nothing proves who sends, what the first sender was told is for the same request alone: whoever names its
        id in another one is answered `otherwise`, or that it is accepted.
        """
        is_open = first.state == requests.RUNNING or (rule.sync and first.state == requests.PENDING)
        status = 202 if is_open else 200
        is_told = rule.knows_its_callers or first.body == body
        answer = self._seal.answer_of(first) if is_told else otherwise
        return answer or accepted(first.request_id, status)


def has_refused(rule: Rule, outcome: Outcome) -> bool:
    """Tell whether a script succeeded in saying no: it replied with 4xx or 5xx."""
    reply = outcome.data.reply if rule.fields.execution_type is ExecutionType.CODE and outcome.ok else None
    return reply is not None and reply.status >= FIRST_ERROR


def answer_of_script(reply: Any) -> Answer:
    """Return what a script asked to be answered: text as it is, anything else as JSON."""
    headers = {name.lower(): value for name, value in reply.headers.items() if name.lower() not in OURS}
    text = isinstance(reply.body, str)
    content_type = headers.pop(CONTENT_TYPE, "text/plain; charset=utf-8" if text else JSON)
    body = reply.body.encode() if text else write_json(reply.body)
    return Answer(reply.status, b"" if reply.body is None else body, content_type, tuple(headers.items()))
