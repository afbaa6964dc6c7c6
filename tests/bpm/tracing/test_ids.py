"""Ids of traces, and the header by which they travel."""

import pytest

from bpm.security.identifiers import new_id
from bpm.tracing import Traceparent, read_traceparent, trace_id_of
from bpm.tracing.ids import first_span_of, is_sent, write_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_trace_id_is_the_correlation_id_without_its_hyphens() -> None:
    """Whoever has the one has the other."""
    id_ = new_id()
    assert f"{trace_id_of(id_):032x}" == id_.replace("-", "")


@pytest.mark.parametrize("chosen", ["", "order 1", "0" * 8 + "-0000-0000-0000-" + "0" * 12, "ü" * 128])
def test_an_id_that_a_caller_chose_becomes_a_valid_one(chosen: str) -> None:
    """An id of zeros is none by the standard; any text has one of its own, always the same."""
    found = trace_id_of(chosen)
    assert 0 < found < 1 << 128
    assert found == trace_id_of(chosen) != trace_id_of(f"{chosen}x")
    assert 0 < first_span_of(found) < 1 << 64


def test_a_header_is_read_as_it_is_written() -> None:
    """What we send to receivers is what we would read."""
    span = Traceparent(int(TRACE, 16), int(SPAN, 16))
    assert write_traceparent(span, is_sent=True) == f"00-{TRACE}-{SPAN}-01"
    assert write_traceparent(span, is_sent=False) == f"00-{TRACE}-{SPAN}-00"
    assert read_traceparent(f"00-{TRACE}-{SPAN}-00") == span


def test_a_later_version_is_read_by_its_first_part() -> None:
    """A header that is longer belongs to a version that we do not know yet."""
    assert read_traceparent(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings") == (int(TRACE, 16), int(SPAN, 16))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-\u0660\u0661",
        f"00-{TRACE}-{SPAN}-01\n",
        "a" * 100_000,
    ],
)
def test_what_is_no_header_of_the_standard_is_left_out(header: str) -> None:
    """It comes from strangers: nothing of it is taken over unless all of it is right."""
    assert read_traceparent(header) is None


def test_a_ratio_takes_about_so_many_and_every_process_the_same() -> None:
    """Whether a trace is sent is in its id."""
    ids = [trace_id_of(new_id()) for _ in range(4_000)]
    assert not any(is_sent(id_, 0) for id_ in ids)
    assert all(is_sent(id_, 1) for id_ in ids)
    assert 600 < sum(is_sent(id_, 0.25) for id_ in ids) < 1_400
