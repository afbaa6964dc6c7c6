"""Compressed bodies are expanded whole or not at all, in bounded memory."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from router.expansion import CodingError, ExpansionError, TooLargeExpanded, expand

DATA = b'{"amount":19.99}' * 200
MIB = 1024 * 1024


def bare_deflate(data: bytes) -> bytes:
    """Compress as those do who take `deflate` at its word."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
ZEROS = bytes(64 * MIB)


@given(st.binary(max_size=5_000), st.sampled_from(sorted(PACK)))
def test_what_was_compressed_is_expanded(data: bytes, coding: str) -> None:
    """Whatever it is, by each coding."""
    assert expand(PACK[coding](data), coding, 5_000) == data


@pytest.mark.parametrize("coding", sorted(PACK))
def test_the_limit_is_that_of_the_expanded_body(coding: str) -> None:
    """A byte too many is too many."""
    packed = PACK[coding](DATA)
    assert expand(packed, coding, len(DATA)) == DATA
    with pytest.raises(TooLargeExpanded, match=f"over the limit of {len(DATA) - 1} bytes"):
        expand(packed, coding, len(DATA) - 1)


@pytest.mark.parametrize("coding", sorted(PACK))
def test_what_is_not_whole_is_refused(coding: str) -> None:
    """Cut, empty, followed by something else, or nothing of the kind."""
    packed = PACK[coding](DATA)
    for body in (packed[:-3], packed[:1], b"", packed + b"more", DATA):
        with pytest.raises(ExpansionError, match=f"the body is not {coding}, or not all of it arrived"):
            expand(body, coding, MIB)


FORMS: list[tuple[str, bytes, bytes]] = [
    ("deflate", bare_deflate(DATA), DATA),
    ("GZIP, Identity", gzip.compress(DATA), DATA),
    ("gzip, br", brotli.compress(gzip.compress(DATA)), DATA),
    ("gzip", gzip.compress(b"a") + gzip.compress(b"b"), b"ab"),
    ("zstd", zstandard.compress(b"a") + zstandard.compress(b"b"), b"ab"),
    ("utf-8", DATA, DATA),
    ("", DATA, DATA),
]


@pytest.mark.parametrize(("coding", "body", "expanded"), FORMS)
def test_spellings_and_members(coding: str, body: bytes, expanded: bytes) -> None:
    """Headers as they are met, several members of one file, two codings."""
    assert expand(body, coding, MIB) == expanded


@pytest.mark.parametrize("coding", ["compress", "snappy", "gzip, gzip, gzip", "gzip;q=1", "x" * 5_000])
def test_other_codings_are_refused(coding: str) -> None:
    """With a sentence that says what is read."""
    with pytest.raises(CodingError, match=r"Content-Encoding: .*(as it is, or as gzip|compress the body once)"):
        expand(gzip.compress(DATA), coding, MIB)


BOMBS: list[tuple[str, bytes]] = [
    ("gzip", gzip.compress(ZEROS)),
    ("deflate", zlib.compress(ZEROS)),
    ("br", brotli.compress(ZEROS, quality=5)),
    ("zstd", zstandard.compress(ZEROS)),
    ("gzip, gzip", gzip.compress(gzip.compress(ZEROS))),
    ("zstd, gzip", gzip.compress(zstandard.compress(ZEROS))),
]


@pytest.mark.parametrize(("coding", "bomb"), BOMBS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_bomb_takes_little_memory(coding: str, bomb: bytes) -> None:
    """It is given up as soon as it is over the limit."""
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeExpanded):
            expand(bomb, coding, MIB)
        assert tracemalloc.get_traced_memory()[1] < 20 * MIB
    finally:
        tracemalloc.stop()


def test_windows_and_members_are_bounded() -> None:
    """A window of 128 MiB, and a thousand members that are empty."""
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    with pytest.raises(ExpansionError):
        expand(stream.compress(bytes(16 * MIB)) + stream.flush(), "zstd", 32 * MIB)
    with pytest.raises(ExpansionError):
        expand(gzip.compress(b"") * 1_000, "gzip", MIB)
