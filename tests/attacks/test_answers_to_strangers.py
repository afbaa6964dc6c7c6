"""The answer to a request is for who sent it: a stranger who names its id in a request of their own is not told it."""

from typing import Any

import pytest

from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio

ORDER = {"id": "order-4711", "email": "ada@example.com"}
STRANGER = {"id": "order-4711"}
SECRET = "a-secret-of-the-sender"
RULE = {
    "description": "Answers with what it was sent",
    "action": "POST",
    "isEnabled": True,
    "executionType": 2,
    "deduplication": "body:id",
}


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_the_first_answer_is_told_to_the_same_request(mode: str) -> None:
    """Of a rule that nothing verifies, another body with a known id is answered and not told what the first one was."""
    async with ServerProcess() as server:
        await made(server, mode)
        first = await server.hook("orders", ORDER)
        assert "ada@example.com" in str(first.body)
        assert (await server.hook("orders", ORDER)).body == first.body
        told = await server.hook("orders", STRANGER)
        assert (told.status, "ada@example.com" in str(told.body)) == (200, False)
        await server.settled()
        assert (await server.cmd("GetInboundRequestListQuery", state="done"))["totalCount"] == 1


async def test_who_is_known_is_told_whatever_the_body() -> None:
    """A provider that proves itself may write its repetition in another way."""
    async with ServerProcess() as server:
        scheme = {"scheme": "custom", "type": "static", "encoding": "text", "header": "x-token", "secret": SECRET}
        await made(server, "sync", signature=scheme)
        first = await server.hook("orders", ORDER, {"x-token": SECRET})
        assert "ada@example.com" in str(first.body), first.body
        assert (await server.hook("orders", STRANGER, {"x-token": SECRET})).body == first.body
        assert (await server.hook("orders", STRANGER)).status == 401


async def made(server: ServerProcess, mode: str, **more: Any) -> None:
    answered = "reply(200, {'email': payload['email']})" if mode == "sync" else "payload['id']"
    response = {} if mode == "sync" else {"response": {"body": {"email": "{{payload.email}}"}}}
    fields = {**RULE, "key": "orders", "path": "orders", "responseMode": mode, "executionCode": answered}
    await server.cmd("CreateWebHookConfigCommand", **fields, **response, **more)


async def test_a_dead_request_of_a_stranger_does_not_keep_the_senders_away() -> None:
    """A rule whose script refuses what is not proven: who was first with an id and failed has not used it up."""
    async with ServerProcess() as server:
        retry = {"attempts": 1}
        code = "if 'email' not in payload:\n    raise ValueError('not proven')"
        fields = {**RULE, "key": "orders", "path": "orders", "responseMode": "async", "executionCode": code}
        await server.cmd("CreateWebHookConfigCommand", **fields, retry=retry)
        for body, states in ((STRANGER, ["dead"]), (ORDER, ["dead", "done"]), (ORDER, ["dead", "done", "duplicate"])):
            assert (await server.hook("orders", body)).status == 200
            await server.settled()
            found = (await server.cmd("GetInboundRequestListQuery"))["items"]
            assert sorted(request["state"] for request in found) == states
