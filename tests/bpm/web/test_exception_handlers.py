"""What Starlette refuses looks like every other answer."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bpm.web.exception_handlers import EXCEPTION_HANDLERS


async def broken(request: Request) -> Response:
    """Fail as no handler should."""
    raise RuntimeError("secret path /etc")


@pytest.fixture
async def pages() -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route("/broken", broken, methods=["POST"])]
    app = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm") as client:
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/nowhere", 404, "nothing is at /nowhere"),
        ("GET", "/broken", 405, "GET is not possible here; use POST"),
        ("POST", "/broken", 500, "The request id is r-9"),
    ],
)
async def test_what_starlette_refuses_looks_the_same(
    pages: httpx.AsyncClient, method: str, path: str, status: int, sentence: str
) -> None:
    """Unknown addresses, wrong methods and unexpected errors answer in the common envelope too."""
    response = await pages.request(method, path, headers={"X-Request-Id": "r-9"})
    assert response.status_code == status
    assert response.headers["x-request-id"] == "r-9"
    body = response.json()
    assert set(body) == {"success", "data", "message", "errors"}
    assert body["errors"] == [sentence]
