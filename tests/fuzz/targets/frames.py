"""Bytes that a child says, cut in any way: the server understands them or calls them malformed."""

from hypothesis import strategies as st

from scripts.server.messages import RUNNING, understood
from scripts.shared.frames import KIND_BYTES, MalformedFrameError, kind_of, pack
from scripts.shared.headers import problem_with
from scripts.shared.limits import Limits
from scripts.shared.values import verify

LIMITS = Limits(result_values=1_000)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), st.text(max_size=5))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=20,
)
KEYS = [
    "result",
    "reply",
    "variables",
    "peak",
    "clean",
    "command",
    "args",
    "at_end",
    "text",
    "reason",
    "message",
    "line",
]
PARTS = st.dictionaries(st.sampled_from([*KEYS, "column", "status", "body", "headers"]), VALUES, max_size=8)


def fuzz(data: st.DataObject) -> None:
    """Raise when a message passes that is not in the form of its kind."""
    kind = data.draw(st.sampled_from(sorted(RUNNING)))
    body = bytearray(pack({"t": kind, **data.draw(PARTS)}, unicode_errors="replace")[4:])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not body:
            return
    found = kind_of(body[:KIND_BYTES])
    if found not in RUNNING:
        return
    try:
        message = understood(found, bytes(body), LIMITS)
    except MalformedFrameError:
        return
    verify([message.get(name) for name in ("result", "reply", "variables", "args")], LIMITS.result_values + 5)
    reply = message.get("reply") if found == "result" else None
    assert reply is None or (200 <= reply["status"] <= 599 and problem_with(reply["headers"]) is None)
