"""The error boundary: whatever is raised while a request is answered becomes an answer."""

from collections.abc import Awaitable, Callable

import structlog

from bpm.edge.answer import Answer
from bpm.edge.body import ClientGone
from bpm.edge.envelope import problem
from bpm.errors import BpmError, Defect, Overloaded
from bpm.shortage import shortage_in

Problems = Callable[[BpmError, str], Answer]
"""Makes the answer of an error: (error, request id)."""

SHORT = "The machine has no memory or no thread left for this just now; try again in a moment"

log = structlog.get_logger("bpm.edge")


async def answer_or_problem(
    request_id: str, answering: Awaitable[Answer], problems: Problems = problem
) -> Answer | None:
    """Return the answer, or that of the error it ended with; None when the client is gone.

    An error that nobody expected is written to the log with the request's id, and answered as a `Defect`; with 503
    where it says that memory or threads are used up.
    """
    try:
        return await answering
    except ClientGone:
        return None
    except BpmError as error:
        return problems(error, request_id)
    except Exception as error:
        is_short = shortage_in(error) is not None
        log.exception("request failed", request_id=request_id, exc_info=error)
        return problems(Overloaded(SHORT) if is_short else Defect(), request_id)
