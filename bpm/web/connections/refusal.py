"""The answer to a request that can't be read: it looks like all others, and nothing comes after it."""

from bpm.edge.envelope import closing_problem
from bpm.errors import BpmError
from bpm.web.connections.answer_head import answer_head


def refusal(error: BpmError) -> bytes:
    """Return the whole answer as it is sent."""
    answer, request_id = closing_problem(error)
    return answer_head(answer.status, answer.head(request_id)) + answer.body
