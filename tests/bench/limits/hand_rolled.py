"""The endpoint one would write by hand: check the signature, store in a session, commit, answer."""

import json
import os
import uuid
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.bench.limits.inbox_row import Base, InboxRow, values
from tests.bench.payload import SIGNATURE_HEADER, is_signed

engine = create_engine(f"sqlite:///{os.environ['BENCH_FOLDER']}/inbox.db", connect_args={"timeout": 30})


@event.listens_for(engine, "connect")
def make_durable(connection: Any, _record: object) -> None:
    """A commit is on disk when it returns."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def store(row: dict[str, object]) -> None:
    """Insert and commit one request."""
    with Session(engine) as session:
        session.add(InboxRow(**row))
        session.commit()


async def receive(request: Request) -> JSONResponse:
    """Answer when the request is on disk."""
    body = await request.body()
    if not is_signed(body, request.headers.get(SIGNATURE_HEADER, "")):
        return JSONResponse({"message": "The signature is wrong"}, 401)
    await request.json()
    request_id = uuid.uuid4().hex
    await run_in_threadpool(store, values(request_id, json.dumps(dict(request.headers)), body))
    return JSONResponse({"success": True, "data": {"requestId": request_id}, "message": "Accepted"})


Base.metadata.create_all(engine)
app = Starlette(routes=[Route("/", receive, methods=["POST"])])
