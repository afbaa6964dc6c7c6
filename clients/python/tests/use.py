"""Uses the client as an application would, against the server at BPM_URL with the key BPM_TOKEN."""

import json
import os

import httpx
import pytest
from bpm_bus_client import ApiError, BpmClient, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from bpm_bus_client.models import (
    CreateUserCommand,
    GetEventListQuery,
    GetOrganizationByIdQuery,
    GetOwnAccountQuery,
    PublishEventCommand,
)

URL, TOKEN = os.environ["BPM_URL"], os.environ["BPM_TOKEN"]


class FirstAnswerIsLost(httpx.HTTPTransport):
    """The server does what it is asked, and the first answer does not arrive."""

    lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if not self.lost:
            self.lost += 1
            response.close()
            raise httpx.ReadError("the connection was lost")
        return response


def sends_and_reads_typed_answers() -> None:
    with BpmClient(URL, TOKEN) as bpm:
        event = bpm.send(PublishEventCommand(event="python.sent", data={"n": 1})).data
        found = bpm.send(GetEventListQuery(event="python.sent")).data
    assert [row.id for row in found.items] == [event.id]
    assert found.items[0].created_at.tzinfo is not None


def raises_typed_errors() -> None:
    with BpmClient(URL, TOKEN) as bpm:
        with pytest.raises(InvalidError, match="event: ") as invalid:
            bpm.send(PublishEventCommand(event="", data={}))
        with pytest.raises(ForbiddenError):
            bpm.send(CreateUserCommand(username="eve"))
        with pytest.raises(NotFoundError):
            bpm.send(GetOrganizationByIdQuery(id=9))
    assert invalid.value.status == 422
    assert invalid.value.request_id
    with (
        BpmClient(URL, "bpm_no_key") as nobody,
        pytest.raises(UnauthenticatedError, match="Authentication is required"),
    ):
        nobody.send(GetOwnAccountQuery())


def walks_over_pages() -> None:
    with BpmClient(URL, TOKEN) as bpm:
        for number in range(5):
            bpm.send(PublishEventCommand(event="python.paged", data={"n": number}))
        rows = list(bpm.items(GetEventListQuery(event="python.paged", page_size=2, sort_direction="asc")))
    assert [row.data for row in rows] == [{"n": number} for number in range(5)]


def has_its_effect_once() -> None:
    waits: list[float] = []
    transport = FirstAnswerIsLost()
    with BpmClient(URL, TOKEN, http=httpx.Client(transport=transport), sleep=waits.append) as bpm:
        event = bpm.send(PublishEventCommand(event="python.retried", data={})).data
        again = bpm.send(PublishEventCommand(event="python.keyed", data={}), idempotency_key="python-1").data
        same = bpm.send(PublishEventCommand(event="python.keyed", data={}), idempotency_key="python-1").data
        found = bpm.send(GetEventListQuery(event="python.retried")).data
    assert (transport.lost, waits) == (1, [0.25])
    assert [row.id for row in found.items] == [event.id]
    assert again.id == same.id


def signs_in() -> None:
    with BpmClient(URL, username=os.environ["BPM_USERNAME"], password=os.environ["BPM_PASSWORD"]) as bpm:
        assert bpm.send(GetOwnAccountQuery()).data.name == os.environ["BPM_USERNAME"]


def takes_no_strange_answer() -> None:
    """Whatever comes is an `ApiError`, and never a walk without an end."""
    page: dict[str, object] = {"items": [], "leftOut": 1, "totalCount": 1, "pageNumber": 1, "pageSize": 1}
    flags = {"totalPages": 1, "hasNextPage": False, "hasPreviousPage": False}
    strange: list[tuple[int, bytes]] = [
        *((200, body) for body in (b"[]", b'"data"', b"{}", b'{"data": 1}', b"<html>", b"[" * 100_000, b"\xff")),
        (200, json.dumps({"success": True, "data": {**page, **flags}, "message": "", "errors": []}).encode()),
        (422, b'{"message": 5, "errors": {"a": 1}}'),
        (429, b'{"message": null, "errors": [1, null]}'),
        (307, b'{"data": {}}'),
    ]
    for status, body in strange:
        headers = [(b"retry-after", b"\xb2"), (b"location", b"http://127.0.0.1:9/")]
        answer = httpx.MockTransport(lambda _, s=status, b=body, h=headers: httpx.Response(s, content=b, headers=h))
        for token, username in (("bpm_x", None), (None, "ada")):
            http = httpx.Client(transport=answer)
            client = BpmClient("http://bpm", token, username=username, password=token, http=http, sleep=lambda _: None)
            with client as bpm, pytest.raises(ApiError):
                list(bpm.items(GetEventListQuery()))


def is_typed(bpm: BpmClient) -> None:
    """Never called: a type checker finds each of these mistakes, and would say if one were none."""
    bpm.send(PublishEventCommand(evnt="x", data={}))  # pyright: ignore[reportCallIssue]
    print(bpm.send(GetOwnAccountQuery()).data.nmae)  # pyright: ignore
    bpm.items(GetOwnAccountQuery())  # pyright: ignore[reportCallIssue, reportArgumentType]


for check in (
    sends_and_reads_typed_answers,
    raises_typed_errors,
    walks_over_pages,
    has_its_effect_once,
    signs_in,
    takes_no_strange_answer,
):
    check()
    print(check.__name__)
