"""How much of a request was read: what is over decides about the next request, not what this one's body held."""

import pytest

from bpm.errors import HeadTooLarge
from bpm.settings import ConnectionSettings
from bpm.web.connections.request_meter import PIECE, RequestMeter

LIMITS = ConnectionSettings()
HEADERS = [(b"content-length", b"1000000")]


def in_body() -> RequestMeter:
    """Return a gauge that has read a head which announces a million bytes."""
    gauge = RequestMeter(LIMITS)
    gauge.take(60)
    gauge.begin()
    gauge.end_head(b"/", HEADERS, dict(HEADERS))
    gauge.demand_bounded()
    return gauge


@pytest.mark.parametrize("piece", [1, PIECE, 70_000, 999_999, 1_000_000])
def test_the_end_of_a_body_in_one_piece_is_no_head(piece: int) -> None:
    """However a body arrives, its last piece is not counted as the beginning of the next head."""
    gauge = in_body()
    for size in (1_000_000 - piece, piece):
        gauge.take(size)
        gauge.body(size)
        if not gauge.left:
            gauge.end()
        gauge.demand_bounded()
    assert not gauge.has_body


def test_a_head_without_an_end_is_refused() -> None:
    """It is counted piece by piece, behind a body, too."""
    gauge = in_body()
    gauge.take(1_000_000)
    gauge.body(1_000_000)
    gauge.end()
    gauge.take(PIECE)
    gauge.begin()
    for _ in range(LIMITS.max_head_bytes // PIECE):
        gauge.take(PIECE)
        gauge.demand_bounded()
    gauge.take(PIECE)
    with pytest.raises(HeadTooLarge):
        gauge.demand_bounded()
