"""Documents are compressed for those who read that, and for nobody else."""

import pytest

from bpm.testing import running_app
from bpm.web.compressed_document import accepted_encodings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP ; q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br", False),
        ("", False),
        ("xgzip", False),
    ],
)
def test_a_client_says_what_it_reads(header: str, accepted: bool) -> None:
    """Names, spaces and weights as RFC 9110 has them; a weight of nothing refuses."""
    assert ("gzip" in accepted_encodings({"accept-encoding": header})) is accepted


@pytest.mark.parametrize("path", ["/openapi.json", "/asyncapi.json", "/docs/api"])
async def test_documents_are_sent_small(path: str) -> None:
    """The same document, a fifth of the bytes, and caches keep the two apart."""
    async with running_app() as app:
        plain = await app.http.get(path, headers={"accept-encoding": "identity"})
        small = await app.http.get(path, headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert small.headers["content-encoding"] == "gzip"
        assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert small.content == plain.content
        assert int(small.headers["content-length"]) * 5 < len(plain.content)
