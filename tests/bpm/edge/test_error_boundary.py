"""Whatever is raised while a request is answered becomes an answer, and how answers are sent."""

import json

import pytest
import structlog
from starlette.types import Message

from bpm.edge.answer import Answer, send_answer
from bpm.edge.body import ClientGone
from bpm.edge.envelope import success
from bpm.edge.error_boundary import answer_or_problem
from bpm.errors import Defect, NotFound

pytestmark = pytest.mark.anyio


async def raising(error: Exception) -> Answer:
    """Stand for an address whose work ends so."""
    raise error


async def test_an_error_is_answered_and_a_mistake_is_logged() -> None:
    """An error of the tree has its status; any other says no more than that it is ours, and the log has the rest."""
    with structlog.testing.capture_logs() as lines:
        refused = await answer_or_problem("r-1", raising(NotFound("no such rule")))
        broken = await answer_or_problem("r-2", raising(KeyError("secret")))
    assert refused is not None
    assert (refused.status, json.loads(refused.body)["errors"]) == (404, ["no such rule"])
    assert broken is not None
    assert (broken.status, json.loads(broken.body)["message"]) == (500, Defect().message)
    assert b"secret" not in broken.body
    assert [(line["event"], line["request_id"]) for line in lines] == [("request failed", "r-2")]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
async def test_where_memory_or_threads_are_used_up_trying_again_helps(error: Exception) -> None:
    """It is no mistake of ours or of the sender's."""
    answer = await answer_or_problem("r", raising(error))
    assert answer is not None
    assert answer.status == 503
    assert b"no memory or no thread left" in answer.body


async def test_a_client_that_left_is_not_answered() -> None:
    """There is nobody to answer, and nothing to log."""
    with structlog.testing.capture_logs() as lines:
        assert await answer_or_problem("r", raising(ClientGone())) is None
    assert lines == []


async def test_an_interface_may_word_its_own_refusals() -> None:
    """The boundary stays the same; also a mistake of ours has the interface's own form."""
    answer = await answer_or_problem("r", raising(KeyError("x")), lambda error, _: Answer(599, error.message.encode()))
    assert answer == Answer(599, Defect().message.encode())


@pytest.mark.parametrize(
    ("answer", "is_head", "length", "body"),
    [
        (success(b"1", "Done"), False, b"42", b'{"success":true,"data":1,"message":"Done"}'),
        (success(b"1", "Done"), True, b"42", b""),
        (Answer(204, b"lost"), False, None, b""),
        (Answer(304), False, None, b""),
    ],
)
async def test_an_answer_is_sent_as_its_status_allows(
    answer: Answer, is_head: bool, length: bytes | None, body: bytes
) -> None:
    """HEAD tells the length that GET would have; a status without a body tells none."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await send_answer(send, answer, "r-1", is_head=is_head)
    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"x-request-id"]) == (answer.status, b"r-1")
    assert (headers.get(b"content-length"), sent[1]["body"]) == (length, body)
