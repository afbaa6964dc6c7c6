"""Bodies that were made to hurt, over a real socket: each has its answer, and the server goes on answering."""

import asyncio
import time
from collections.abc import Callable

import pytest

from bpm.testing import ServerProcess
from tests.router.conftest import noting, stored

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

BODIES: dict[str, tuple[Callable[[], bytes], int]] = {
    "not UTF-8": (lambda: b'{"a": "\xff\xfe"}', 400),
    "overlong UTF-8": (lambda: b'{"a": "\xc0\xaf"}', 400),
    "UTF-16": (lambda: '{"a": 1}'.encode("utf-16"), 400),
    "byte order mark": (lambda: b'\xef\xbb\xbf{"a": 1}', 200),
    "two byte order marks": (lambda: b"\xef\xbb\xbf" * 2 + b'{"a": 1}', 400),
    "a byte order mark alone": (lambda: b"\xef\xbb\xbf", 400),
    "64 levels": (lambda: b"[" * 64 + b"]" * 64, 200),
    "65 levels": (lambda: b"[" * 65 + b"]" * 65, 400),
    "5,000 levels": (lambda: b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
    "5 million levels": (lambda: b"[" * 5_000_000, 400),
    "a million keys": (lambda: b"{" + b",".join(b'"k%d":1' % n for n in range(1_000_000)) + b"}", 400),
    "a million items": (lambda: b"[" + b"{}," * 999_999 + b"{}]", 400),
    "a long text": (lambda: b'{"a": "' + b"x" * (8 * MIB) + b'"}', 200),
    "10 MB of digits": (lambda: b"9" * 10_000_000, 400),
    "10 MB of decimals": (lambda: b"0." + b"9" * 10_000_000, 400),
    "many digits": (lambda: b'{"a": ' + b"9" * 4_000 + b"}", 200),
    "duplicate keys": (lambda: b'{"a": 1, "a": 2}', 400),
    "duplicate keys far apart": (
        lambda: b'{"a": 1,' + b",".join(b'"k%d":1' % n for n in range(50_000)) + b',"a":2}',
        400,
    ),
    "1e999": (lambda: b'{"a": 1e999}', 400),
    "-1e999": (lambda: b"[-1e999]", 400),
    "NaN": (lambda: b'{"a": NaN}', 400),
    "Infinity": (lambda: b"-Infinity", 400),
    "lone surrogate": (lambda: b'{"a": "\\ud800"}', 400),
    "lone surrogate in a key": (lambda: b'{"\\udfff": 1}', 400),
    "surrogate pair": (lambda: b'{"a": "\\ud83c\\udf89"}', 200),
    "a NUL": (lambda: b'{"a\\u0000": "\\u0000"}', 200),
    "half": (lambda: b'{"a": [1, 2', 400),
    "two values": (lambda: b"{} {}", 400),
    "a comment": (lambda: b"{} // hello", 400),
    "blanks only": (lambda: b" \n\t ", 400),
    "16 MiB and one byte": (lambda: b" " * (16 * MIB) + b"1", 413),
}


@pytest.fixture(scope="module")
async def rule(server: ServerProcess) -> None:
    """A rule that takes bodies as large as any may be."""
    fields = {"maxBodyBytes": 16 * MIB, "deduplication": "body:[].none", "retry": {"attempts": 1}}
    await noting(server, "hostile", **fields, parameters={"event": "hostile", "text": "{{payload.a.b ?? 'x'}}"})


class Pulse:
    """Asks the server for its pulse all the while, and remembers the longest wait for an answer."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.longest = 0.0

    async def __aenter__(self) -> "Pulse":
        self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _beat(self) -> None:
        while True:
            started = time.monotonic()
            assert (await self._server.request("GET", "/livez")).status == 200
            self.longest = max(self.longest, time.monotonic() - started)
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("rule")
@pytest.mark.parametrize("kind", BODIES)
async def test_a_hostile_body_has_its_answer(server: ServerProcess, kind: str) -> None:
    """Good JSON of any size within the limit is taken, bad JSON refused with a sentence, and nobody waits long."""
    make, status = BODIES[kind]
    body = make()
    async with Pulse(server) as pulse:
        answer = await server.hook("hostile", body)
        await asyncio.sleep(0.02)
    assert answer.status == status, answer.body
    if status != 200:
        assert (answer.body["success"], len(answer.errors)) == (False, 1)
        assert len(answer.errors[0]) < 300
    assert pulse.longest < 30, f"the server was silent for {pulse.longest:.1f} s"


@pytest.mark.usefixtures("rule")
async def test_every_hostile_body_that_was_taken_was_executed(server: ServerProcess) -> None:
    """What was accepted is executed or ends dead with a reason; nothing stays."""
    await server.settled(30)
    kept = await stored(server, "hostile")
    assert {request["state"] for request in kept} <= {"done", "rejected"}
    assert all(request["errors"] for request in kept if request["state"] == "rejected")


@pytest.fixture(scope="module")
async def types(server: ServerProcess) -> None:
    """A rule that takes bodies of any type."""
    await noting(server, "types")


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        (FORM, b"&" * 900_000, 400),
        (FORM, b"a" * 900_000, 200),
        (FORM, b"%" * 900_000, 200),
        (FORM, b"a=%ed%a0%80", 400),
        ("text/plain; charset=utf-16", b"\x00\xd8" * 10, 400),
        ("text/plain; charset=utf-7", b"+ADw-", 415),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 100_000, 400),
        ("application/xml", b"<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>", 200),
        ("application/octet-stream", bytes(range(256)) * 100, 200),
        (";;;===", b"\xff{", 200),
        ("application/json;charset=" + "x" * 5_000, b"{}", 200),
        ("APPLICATION/JSON", b"{", 400),
        ("application/json", b"\x1f\x8b\x08\x00", 400),
    ],
)
async def test_other_types_have_their_answer_too(
    server: ServerProcess, content_type: str, body: bytes, status: int
) -> None:
    """Forms, text and unknown types are read as announced or refused, never guessed."""
    answer = await server.hook("types", body, {"content-type": content_type})
    assert answer.status == status, answer.body


async def test_the_default_limit_holds_without_a_rule(server: ServerProcess) -> None:
    """A body over the server's limit to an address nobody has is 404 without being read to its end."""
    answer = await server.hook("nobody-here", b"x" * (8 * MIB))
    assert answer.status == 404
    (kept, *_) = await server.requests(verdict="unknown")
    whole = await server.cmd("GetInboundRequestByIdQuery", requestId=kept["requestId"])
    assert (whole["path"], whole["body"]) == ("nobody-here", "")
