"""The Starlette echo of a body whose signature is right."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.bench.payload import SIGNATURE_HEADER, is_signed


async def echo(request: Request) -> JSONResponse:
    """Answer with the parsed body, or 401."""
    if not is_signed(await request.body(), request.headers.get(SIGNATURE_HEADER, "")):
        return JSONResponse({"message": "The signature is wrong"}, 401)
    return JSONResponse(await request.json())


app = Starlette(routes=[Route("/", echo, methods=["POST"])])
