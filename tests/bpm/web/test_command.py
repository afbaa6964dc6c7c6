"""`POST /api/bpm/cmd`: every row of the status table, bad bodies, idempotency, draining, disconnects."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from bpm.accounts import Accounts
from bpm.accounts.tables import User
from bpm.bus.tables import AUDIT
from bpm.edge.lifecycle import Lifecycle
from bpm.store import Database, Transaction, utc_now
from bpm.testing import until
from bpm.web.command import PATH
from tests.bpm.web.conftest import BEGUN
from tests.connections import listening

pytestmark = pytest.mark.anyio

LIMIT = 1024 * 1024
Counter = Callable[[], Awaitable[int]]


async def send(client: httpx.AsyncClient, body: bytes | dict[str, Any], **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(PATH, content=content, headers={k.replace("_", "-"): v for k, v in headers.items()})


def assert_refused(response: httpx.Response, status: int, *sentences: str) -> dict[str, Any]:
    body = response.json()
    assert response.status_code == status, body
    assert set(body) == {"success", "data", "message", "errors"}
    assert body["success"] is False
    assert body["data"] is None
    assert body["message"]
    assert response.headers["x-request-id"]
    for sentence in sentences:
        assert any(sentence in error for error in body["errors"]), body
    return body


async def test_a_command_answers_with_data_and_its_own_message(client: httpx.AsyncClient) -> None:
    """A success is 200 with success, data and the message class's text, and nothing else."""
    response = await send(client, {"$type": "PlaceOrderCommand", "orderNumber": "A-1", "lines": []})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "success": True,
        "data": {"id": 1, "orderNumber": "A-1", "lines": 0},
        "message": "Order placed successfully",
    }


async def test_a_query_answers_with_the_default_message(client: httpx.AsyncClient) -> None:
    """A message class without a text of its own answers with the default one."""
    await send(client, {"$type": "PlaceOrderCommand", "orderNumber": "A-1"})
    body = (await send(client, {"$type": "GetOrderListQuery", "pageSize": 5.0})).json()
    assert body["message"] == "Operation completed successfully"
    assert body["data"]["totalCount"] == 1
    assert body["data"]["items"][0]["orderNumber"] == "A-1"


@pytest.mark.parametrize(
    "name", ["PlaceOrderCommand", "SubmitOrderCommand", "Shop.Orders.PlaceOrderCommand, Shop", "Shop.PlaceOrderCommand"]
)
async def test_a_message_answers_to_its_names(client: httpx.AsyncClient, name: str) -> None:
    """A message is found by its name, an alias, and the forms that .NET clients send."""
    assert (await send(client, {"$type": name, "orderNumber": "A-1"})).status_code == 200


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body is empty"),
        (b"{", "not valid JSON"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b'{"a":1}', "$type: must be a string"),
        (b'{"$type":7}', "$type: must be a string"),
        (b'{"$type":null}', "$type: must be a string"),
        (b'{"$type":""}', "$type: must be a string"),
        (b'{"$type":"GetOrderQuery","$type":"GetOrderQuery"}', "stands twice"),
        (b'{"$type":"GetOrderQuery","id":1,"x":{"a":1,"a":2}}', "stands twice"),
        (b'{"$type":"GetOrderQuery","id":NaN}', "not valid JSON"),
        (b'{"$type":"GetOrderQuery","id":-Infinity}', "not valid JSON"),
        (b'{"$type":"GetOrderQuery","id":1e999}', "too large"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"$type":"GetOrderQuery","id":"\xff"}', "not UTF-8"),
        (b'\xef\xbb\xbf{"$type":"GetOrderQuery"}', "byte order mark"),
        (b'{"$type":"GetOrderQuery","id":"\\ud800"}', "not valid JSON"),
        (b'{"$type":"GetOrderQuery","x":' + b"[" * 64 + b"]" * 64 + b"}", "deeper than 64 levels"),
        (b'{"$type":"GetOrderQuery","x":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "deeper than 64 levels"),
        (b'{"$type":"GetOrderQuery","x":' + b"[" * 500_000, "deeper than 64 levels"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_body_that_is_not_the_protocol_is_malformed(
    client: httpx.AsyncClient, body: bytes, sentence: str
) -> None:
    """400: not JSON, not an object, duplicate keys, NaN, 1e999, too deep, not UTF-8, or no `$type`."""
    assert_refused(await send(client, body), 400, sentence)


async def test_64_levels_are_read(client: httpx.AsyncClient) -> None:
    """Nesting of exactly 64 levels is not malformed; the unknown field is what is wrong then."""
    body = b'{"$type":"GetOrderQuery","id":1,"x":' + b"[" * 63 + b"]" * 63 + b"}"
    assert_refused(await send(client, body), 422, "x: is not a known field")


async def test_a_million_keys_end_in_a_sentence(client: httpx.AsyncClient) -> None:
    """A body of very many keys is over the size limit; one just below it is refused field by field, soon."""
    million = b'{"$type":"GetOrderQuery",' + b",".join(b'"%d":1' % n for n in range(1_000_000)) + b"}"
    assert_refused(await send(client, million), 413, f"{LIMIT} bytes")
    many = b'{"$type":"GetOrderQuery",' + b",".join(b'"%x":1' % n for n in range(90_000)) + b"}"
    assert len(many) < LIMIT
    found = assert_refused(await send(client, many), 422, "is not a known field", "and 89901 further problems")
    assert len(found["errors"]) == 101


async def test_digits_without_end_are_no_number(client: httpx.AsyncClient) -> None:
    """Ten million digits are over the size limit, and fewer are refused without being computed with."""
    assert_refused(await send(client, b'{"$type":"GetOrderQuery","id":' + b"9" * 10_000_000 + b"}"), 413)
    response = await send(client, b'{"$type":"GetOrderQuery","id":' + b"9" * 900_000 + b"}")
    assert response.status_code in {400, 422}
    assert len(response.content) < 1_000


@pytest.mark.parametrize("authorization", ["", "Bearer nope", "Bearer", "Basic Y2xlcms6", "clerk"])
async def test_an_unknown_caller_is_refused(client: httpx.AsyncClient, authorization: str) -> None:
    """401 with the scheme, before the body is looked at."""
    response = await send(client, b"not even JSON", Authorization=authorization)
    assert_refused(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"


async def test_an_access_token_opens_the_bus(client: httpx.AsyncClient, accounts: Accounts, database: Database) -> None:
    """The token that signing in returns is as good as an API key, until the session is revoked."""
    hashed = await accounts.passwords.hash("Correct-horse-battery-9")
    user = User(id=7, username="ada", password_hash=hashed, roles=["viewer"], created_at=utc_now())
    await database.write(lambda tx: tx.session(None).add(user))
    tokens = await accounts.sessions.sign_in("ada", "Correct-horse-battery-9", "203.0.113.9")
    authorization = f"Bearer {tokens.access_token}"
    listed = await send(client, {"$type": "GetOrderListQuery"}, Authorization=authorization)
    assert listed.status_code == 200
    await accounts.sessions.revoke(tokens.refresh_token)
    assert_refused(await send(client, {"$type": "GetOrderListQuery"}, Authorization=authorization), 401)


async def test_a_missing_permission_is_named(client: httpx.AsyncClient, viewer: str, count_orders: Counter) -> None:
    """403 names the permission, whatever the fields are, and nothing happens."""
    for body in ({"$type": "PlaceOrderCommand", "orderNumber": "A-1"}, {"$type": "PlaceOrderCommand"}):
        body = assert_refused(await send(client, body, Authorization=viewer), 403)
        assert body["errors"] == ["PlaceOrderCommand needs the permission orders:write"]
    assert await count_orders() == 0


async def test_a_refused_command_is_audited(client: httpx.AsyncClient, viewer: str, database: Database) -> None:
    """Who tried what they may not do stands in the audit log; queries do not."""
    for name in ("PlaceOrderCommand", "GetOrderListQuery"):
        await send(client, {"$type": name}, Authorization=viewer)

    def lines(tx: Transaction) -> list[tuple[str, bool]]:
        return [(row.type, row.ok) for row in tx.connection.execute(AUDIT.select())]

    assert await database.read(lines) == [("PlaceOrderCommand", False)]


async def test_an_unknown_type_is_met_with_the_closest_names(client: httpx.AsyncClient) -> None:
    """404 for an unknown `$type`, with the names that look like it."""
    body = assert_refused(await send(client, {"$type": "GetOrdrQuery"}), 404, "did you mean GetOrderQuery")
    assert body["message"] == "Unknown $type"


@pytest.mark.parametrize("name", ["os.system", "__import__", "bpm.bus.Bus", "../GetOrder", "x" * 100_000, "\u0000"])
async def test_a_type_is_looked_up_and_never_imported(client: httpx.AsyncClient, name: str) -> None:
    """Whatever stands in `$type` is only ever looked up in the registry."""
    assert_refused(await send(client, {"$type": name}), 404)


async def test_an_unknown_id_is_not_found(client: httpx.AsyncClient) -> None:
    """404 for an unknown id, with the message class's text and the handler's sentence."""
    body = assert_refused(await send(client, {"$type": "GetOrderQuery", "id": 9}), 404)
    assert body["message"] == "Order not found"
    assert body["errors"] == ["No order found with the specified ID"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_not_allowed(client: httpx.AsyncClient, method: str) -> None:
    """405 with `Allow: POST` for every other method."""
    response = await client.request(method, PATH)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


async def test_a_duplicate_is_a_conflict(client: httpx.AsyncClient, count_orders: Counter) -> None:
    """409 when the present state forbids it, and only the first has an effect."""
    order = {"$type": "PlaceOrderCommand", "orderNumber": "A-1"}
    await send(client, order)
    assert_refused(await send(client, order), 409, "An order with this number already exists")
    assert await count_orders() == 1


async def test_of_twenty_at_once_one_wins(client: httpx.AsyncClient, count_orders: Counter) -> None:
    """Twenty clients that create the same thing at once get one 200 and nineteen 409."""
    order = {"$type": "PlaceOrderCommand", "orderNumber": "A-1"}
    responses = await asyncio.gather(*(send(client, order) for _ in range(20)))
    assert sorted(r.status_code for r in responses) == [200] + [409] * 19
    assert await count_orders() == 1


@pytest.mark.parametrize("size", [LIMIT + 1, 10_000_000])
async def test_a_body_over_the_limit_is_too_large(client: httpx.AsyncClient, size: int) -> None:
    """413 with the limit, by the announced length."""
    assert_refused(await send(client, b" " * size), 413, f"over the limit of {LIMIT} bytes")


async def test_a_body_of_exactly_the_limit_is_read(client: httpx.AsyncClient) -> None:
    """The limit itself is still within it."""
    start = b'{"$type":"PlaceOrderCommand","orderNumber":"A-1"'
    assert (await send(client, start + b" " * (LIMIT - len(start) - 1) + b"}")).status_code == 200


async def test_reading_stops_at_the_limit(client: httpx.AsyncClient) -> None:
    """413 for a body without a length as soon as the limit is passed, with the rest unread."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    assert_refused(await client.post(PATH, content=endless()), 413)
    assert sent <= LIMIT + 2 * 65_536


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/vnd.x+json",
    ],
)
async def test_json_is_read_under_its_content_types(client: httpx.AsyncClient, content_type: str) -> None:
    """`application/json` and `application/…+json` are read, with UTF-8 said or not."""
    response = await send(client, {"$type": "GetOrderListQuery"}, Content_Type=content_type)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "", "application/jsonp", "application/json; charset=latin-1", "application/x-www-form-urlencoded"],
)
async def test_another_content_type_is_not_supported(client: httpx.AsyncClient, content_type: str) -> None:
    """415 for everything else, before the body is read."""
    assert_refused(await send(client, b"x", Content_Type=content_type), 415, "must be application/json")


async def test_a_packed_body_is_not_supported(client: httpx.AsyncClient) -> None:
    """415 for a content coding, so that no small body can unfold into a large one."""
    assert_refused(await send(client, b"x", Content_Encoding="gzip"), 415, "Content-Encoding: gzip")


async def test_all_problems_of_a_body_come_at_once(client: httpx.AsyncClient) -> None:
    """422 with one sentence for every field that is missing, wrong or unknown."""
    body = {"$type": "PlaceOrderCommand", "lines": [{"item": 5, "quantity": 1.5}], "ordernumber": "A"}
    found = assert_refused(await send(client, body), 422)
    assert found["message"] == "Validation failed"
    assert sorted(found["errors"]) == [
        "lines[0].item: must be a string",
        "lines[0].quantity: must be an integer, without a fraction",
        "orderNumber: Order number is required",
        "ordernumber: is not a known field; did you mean orderNumber?",
    ]


async def test_too_fast_says_when_to_return(client: httpx.AsyncClient) -> None:
    """429 with `Retry-After`."""
    response = await send(client, {"$type": "FailCommand", "how": "rate"})
    assert_refused(response, 429, "too many orders")
    assert response.headers["retry-after"] == "7"


async def test_our_fault_shows_no_trace(client: httpx.AsyncClient) -> None:
    """500 is a fixed sentence and the request's id, and says nothing of the cause."""
    response = await send(client, {"$type": "FailCommand", "how": "defect"}, X_Request_Id="order-7")
    body = assert_refused(response, 500)
    assert body["errors"] == ["The request id is order-7"]
    assert "ZeroDivision" not in response.text
    assert "Traceback" not in response.text


async def test_overload_says_when_to_return(client: httpx.AsyncClient) -> None:
    """503 with `Retry-After` when too much work waits."""
    response = await send(client, {"$type": "FailCommand", "how": "overload"})
    assert_refused(response, 503)
    assert response.headers["retry-after"] == "3"


async def begun(order: str) -> None:
    """Wait until the slow command of an order has begun."""

    async def orders() -> list[str]:
        return BEGUN

    await until(orders, lambda found: order in found)


async def test_a_draining_server_takes_nothing_new(
    client: httpx.AsyncClient, lifecycle: Lifecycle, count_orders: Counter
) -> None:
    """503 for new requests once the server stops, while what is under way is finished."""
    under_way = asyncio.create_task(send(client, {"$type": "SlowCommand", "orderNumber": "drained"}))
    await begun("drained")
    lifecycle.drain()
    response = await send(client, {"$type": "GetOrderListQuery"})
    assert_refused(response, 503)
    assert response.headers["retry-after"] == "1"
    assert (await under_way).status_code == 200
    assert await count_orders() == 1


async def test_a_sane_request_id_comes_back(client: httpx.AsyncClient, database: Database) -> None:
    """The caller's own request id is kept, in the answer and in the audit log."""
    order = {"$type": "PlaceOrderCommand", "orderNumber": "A-1"}
    response = await send(client, order, X_Request_Id="shop-42/a")
    assert response.headers["x-request-id"] == "shop-42/a"
    line = await database.read(lambda tx: tx.connection.execute(select(AUDIT)).one())
    assert (line.request_id, line.principal_name, line.address) == ("shop-42/a", "clerk/clerk", "203.0.113.9")


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "<script>", "naïve"])
async def test_another_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    """A request id that could do harm in a log or header is replaced by a new one."""
    response = await client.post(PATH, headers={b"X-Request-Id": given.encode()})
    assert uuid.UUID(response.headers["x-request-id"]).version == 7


async def test_the_same_key_gets_the_first_answer(client: httpx.AsyncClient, count_orders: Counter) -> None:
    """An idempotency key with the same body returns the first answer, marked as such, and does nothing."""
    order = {"$type": "PlaceOrderCommand", "orderNumber": "A-1"}
    first = await send(client, order, Idempotency_Key="k1")
    second = await send(client, order, Idempotency_Key="k1")
    assert "idempotent-replay" not in first.headers
    assert second.headers["idempotent-replay"] == "true"
    assert second.status_code == first.status_code == 200
    assert second.content == first.content
    assert await count_orders() == 1


async def test_a_failure_is_remembered_by_its_key_too(client: httpx.AsyncClient) -> None:
    """The first answer to a key comes again when it was a refusal, word by word."""
    order = {"$type": "PlaceOrderCommand", "orderNumber": "A-1"}
    await send(client, order)
    first = await send(client, order, Idempotency_Key="k1")
    second = await send(client, order, Idempotency_Key="k1")
    assert_refused(second, 409, "An order with this number already exists")
    assert second.headers["idempotent-replay"] == "true"
    assert second.content == first.content


async def test_a_key_belongs_to_its_caller(client: httpx.AsyncClient, viewer: str, count_orders: Counter) -> None:
    """Another caller's key of the same name is another key."""
    await send(client, {"$type": "PlaceOrderCommand", "orderNumber": "A-1"}, Idempotency_Key="k1")
    other = {"$type": "SlowCommand", "orderNumber": "A-2"}
    response = await send(client, other, Idempotency_Key="k1", Authorization=viewer)
    assert response.status_code == 200
    assert "idempotent-replay" not in response.headers
    assert await count_orders() == 2


async def test_a_key_belongs_to_one_body(client: httpx.AsyncClient, count_orders: Counter) -> None:
    """409 when a key comes again with another body."""
    await send(client, {"$type": "PlaceOrderCommand", "orderNumber": "A-1"}, Idempotency_Key="k1")
    response = await send(client, {"$type": "PlaceOrderCommand", "orderNumber": "A-2"}, Idempotency_Key="k1")
    assert_refused(response, 409, "used before with another body")
    assert await count_orders() == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "naïve"])
async def test_a_key_that_is_none_is_malformed(client: httpx.AsyncClient, key: str) -> None:
    """400 unless the key is 1 to 200 visible ASCII characters."""
    response = await client.post(PATH, content=b"{}", headers={b"Idempotency-Key": key.encode()})
    assert_refused(response, 400, "1 to 200 visible ASCII characters")


@pytest.fixture
async def port(app: Starlette) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


def request_text(caller: str, body: bytes, length: int) -> bytes:
    head = f"POST {PATH} HTTP/1.1\r\nHost: bpm\r\nAuthorization: {caller}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode() + body


async def test_a_client_that_hangs_up_does_not_cancel_its_command(port: int, clerk: str, count_orders: Counter) -> None:
    """What a client began is finished although it closed the connection before the answer."""
    body = b'{"$type":"SlowCommand","orderNumber":"hung-up"}'
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_text(clerk, body, len(body)))
    await begun("hung-up")
    writer.close()
    await writer.wait_closed()
    await until(count_orders, lambda count: count == 1)


async def test_half_a_body_has_no_effect(port: int, clerk: str, count_orders: Counter) -> None:
    """A client that goes away in the middle of its body has sent nothing, and the server goes on."""
    body = b'{"$type":"PlaceOrderCommand","orderNumber":"A-1"}'
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_text(clerk, body, len(body) + 1))
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"http://127.0.0.1:{port}{PATH}")
    assert answer.status_code == 401
    assert await count_orders() == 0


async def test_a_large_body_is_refused_over_a_socket(port: int, clerk: str) -> None:
    """A client that sends far too much over a real connection reads the 413, not a broken pipe."""
    async with httpx.AsyncClient(headers={"Authorization": clerk}) as client:
        answer = await client.post(f"http://127.0.0.1:{port}{PATH}", json={"$type": "x", "x": "a" * 8_000_000})
    assert_refused(answer, 413)


@pytest.mark.parametrize("beginning", [b"", b'{"$type":'])
async def test_a_body_that_does_not_come_is_given_up(app: Starlette, clerk: str, beginning: bytes) -> None:
    """408 for a body that is not there in time, so that slow clients hold nothing for ever."""
    async with listening(app, body_seconds=0.1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_text(clerk, beginning, 100))
        await writer.drain()
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        writer.close()
        await writer.wait_closed()
    assert head.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in head
