"""What becomes of a request whose answering did not go as meant."""

from collections.abc import Awaitable
from typing import TypeVar

import structlog
from starlette.responses import Response

from bpm.edge.problems import problem_response
from bpm.edge.request import Disconnected, Incoming
from bpm.errors import BpmError, Defect

A = TypeVar("A")

log = structlog.get_logger("bpm.web")


async def answered(request: Incoming, answering: Awaitable[A]) -> A | Response | None:
    """Return the answer, or the refusal that the answering ended with; None when the client went away."""
    try:
        return await answering
    except Disconnected:
        return None
    except BpmError as error:
        return problem_response(error, request.request_id)
    except Exception as error:
        log.exception("request failed", request_id=request.request_id, exc_info=error)
        return problem_response(Defect(), request.request_id)
