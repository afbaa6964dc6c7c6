"""A header that stands several times means the same at every address."""

import pytest

from bpm.edge.headers import read_headers
from bpm.edge.request import IncomingReader
from bpm.settings import Settings

Pairs = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    ("pairs", "headers"),
    [
        ([], {}),
        ([(b"a", b"1"), (b"b", b"2")], {"a": "1", "b": "2"}),
        ([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], {"a": "1, 3", "b": "2"}),
        ([(b"content-type", b"text/plain"), (b"content-type", b"text/plain")], {"content-type": "text/plain"}),
        ([(b"content-encoding", b"gzip"), (b"content-encoding", b"gzip")], {"content-encoding": "gzip, gzip"}),
        ([(b"x", b"\xe9")], {"x": "é"}),
    ],
)
def test_values_of_one_name_are_joined(pairs: Pairs, headers: dict[str, str]) -> None:
    """Values are joined with a comma, but for the Content-Type, which is no list."""
    assert read_headers(pairs) == headers


@pytest.mark.parametrize("takes_request_ids", [True, False])
def test_every_reader_reads_them_alike(takes_request_ids: bool) -> None:
    """Commands and webhooks see the same headers and the same client behind the same proxies."""
    headers = [(b"x-forwarded-for", b"198.51.100.1"), (b"x-a", b"1"), (b"x-forwarded-for", b"10.0.0.2"), (b"x-a", b"2")]
    settings = Settings(trusted_proxies="10.0.0.0/8")
    scope = {"method": "POST", "client": ("::ffff:10.0.0.1", 1), "headers": headers}
    request = IncomingReader(settings, takes_request_ids=takes_request_ids)(scope, _never)
    assert request.headers["x-a"] == "1, 2"
    assert request.address == "198.51.100.1"


def test_two_request_ids_are_none() -> None:
    """Who names its request twice has not named it; a webhook never names its own."""
    one, two = [(b"x-request-id", b"r-1")], [(b"x-request-id", b"r-1"), (b"x-request-id", b"r-2")]
    assert _request_id(one) == "r-1"
    assert _request_id(two) not in ("r-1", "r-2", "r-1, r-2")
    assert _request_id(one, takes_request_ids=False) != "r-1"


def _request_id(headers: Pairs, *, takes_request_ids: bool = True) -> str:
    reader = IncomingReader(Settings(), takes_request_ids=takes_request_ids)
    return reader({"method": "POST", "client": None, "headers": headers}, _never).request_id


async def _never() -> dict[str, str]:
    raise AssertionError("the body is not read")
