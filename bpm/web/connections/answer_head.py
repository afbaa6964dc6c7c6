"""The head of an answer as it is sent."""

import re
from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

_HEAD = re.compile(rb"HTTP/1\.1 [^\r\n]*\r\n(?:[\w!#$%&'*+.^`|~-]+: [^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n", re.ASCII)
"""What a head looks like: a line break in a header would begin another one (RFC 9112, section 5)."""


def answer_head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the status line and the headers; raises `RuntimeError` for what no header can hold."""
    lines = [STATUS_LINE[status]]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n")
    head = b"".join(lines)
    if not _HEAD.fullmatch(head):
        raise RuntimeError("a header of the answer holds a character that no header can hold")
    return head
