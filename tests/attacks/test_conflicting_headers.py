"""A header that stands twice has one answer at every address: none of the two is read."""

import httpx
import pytest

from bpm.edge.headers import ONCE, REPEATABLE
from bpm.testing import RunningApp, running_app

pytestmark = pytest.mark.anyio

ADDRESSES = [
    ("POST", "/api/bpm/cmd"),
    ("POST", "/api/auth/token"),
    ("POST", "/api/webhooks/unknown"),
    ("GET", "/api/webhooks"),
    ("GET", "/docs/api"),
    ("GET", "/openapi.json"),
    ("GET", "/readyz"),
    ("GET", "/nowhere"),
]


@pytest.fixture(scope="module")
async def app():
    async with running_app() as app:
        yield app


async def ask(app: RunningApp, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> httpx.Response:
    """Send headers as they are, also twice."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://x") as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_a_second_header_is_refused_everywhere(app: RunningApp, method: str, path: str) -> None:
    """400 with the header's name, the connection closes, and nothing is stored, whichever of the two came first."""
    for name in sorted(ONCE):
        for values in [(b"a", b"b"), (b"b", b"a")] + [(b"a", b"a")] * (name not in REPEATABLE):
            headers = [(name, value) for value in values]
            answer = await ask(app, method, path, headers)
            assert (answer.status_code, answer.headers.get("connection")) == (400, "close")
            assert name.decode() in answer.text.lower()
    assert await app.requests() == []


@pytest.mark.parametrize("host", [b"x, y", b"x y", b"x/y", b"user@x", b"x:1:2", b"[::1", b"x\\y", b"http://x", b"x:y"])
async def test_a_host_is_one_host(app: RunningApp, host: bytes) -> None:
    """What can't be one host with a port is refused."""
    assert (await ask(app, "GET", "/livez", [(b"host", host)])).status_code == 400


@pytest.mark.parametrize(
    "host", [b"x", b"x:80", b"[::1]", b"[::1]:8000", b"127.0.0.1:8000", b"a-b.example.org", b"a_b", b""]
)
async def test_hosts_are_taken(app: RunningApp, host: bytes) -> None:
    """Names and addresses are."""
    assert (await ask(app, "GET", "/livez", [(b"host", host)])).status_code == 200
