"""Messages between server, zygote and child: a length and a msgpack map of fixed types, never pickle.

A frame is a little-endian 32-bit length and that many bytes. Its map has the kind of message under `t`:

| from   | to     | kinds |
|--------|--------|-------|
| server | zygote | `fork` (with the child's socket beside it), `signal` |
| zygote | server | `ready`, `forked`, `exited` |
| server | child  | `compile`, `run`, `answer`, `refused` |
| child  | server | `compiled`, `log`, `send`, `result`, `failed` |

Integers beyond 64 bits travel as extension type 1 (big-endian two's complement). No frame can name an
identity: the server knows which run is on which socket.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgpack

HEADER = struct.Struct("<I")
BIG_INTEGER = 1
BIG_INTEGER_BYTES = 1024


class MalformedFrameError(Exception):
    """The other side sent bytes that are not a frame of this protocol."""


def pack(
    message: Mapping[str, Any],
    *,
    unicode_errors: str = "strict",
    convert: Callable[[Any], Any] | None = None,
) -> bytes:
    """Return the frame of a message.

    `unicode_errors` is `surrogatepass` towards a child, so that a payload with lone surrogates arrives as it
    is; a child answers in proper UTF-8. `convert` turns a value of another type into one that can travel.
    Raises TypeError, ValueError (UnicodeEncodeError included) for what cannot travel.
    """

    def fallback(value: Any) -> Any:
        if isinstance(value, int):
            return _big_integer(value)
        if convert is not None:
            return convert(value)
        raise TypeError(f"A value of type {type(value).__name__} cannot travel to or from a script.")

    body = cast("bytes", msgpack.packb(message, default=fallback, unicode_errors=unicode_errors))
    return HEADER.pack(len(body)) + body


def unpack(body: bytes | bytearray | memoryview, *, unicode_errors: str = "strict") -> dict[str, Any]:
    """Return the message in a frame's body; raises MalformedFrameError when it is not a map with its kind."""
    try:
        read = cast("Callable[..., object]", msgpack.unpackb)
        message = read(body, raw=False, strict_map_key=True, ext_hook=_extension, unicode_errors=unicode_errors)
    except (ValueError, msgpack.UnpackException) as error:
        raise MalformedFrameError(f"not a msgpack frame: {error}") from error
    if not isinstance(message, dict) or not isinstance(cast("dict[Any, Any]", message).get("t"), str):
        raise MalformedFrameError("not a map with its kind under 't'")
    return cast("dict[str, Any]", message)


def _big_integer(value: int) -> msgpack.ExtType:
    size = value.bit_length() // 8 + 1
    if size > BIG_INTEGER_BYTES:
        raise ValueError(f"An integer of more than {BIG_INTEGER_BYTES} bytes cannot travel.")
    return msgpack.ExtType(BIG_INTEGER, value.to_bytes(size, "big", signed=True))


def _extension(code: int, data: bytes) -> int:
    if code != BIG_INTEGER or len(data) > BIG_INTEGER_BYTES:
        raise ValueError("unknown extension type")
    return int.from_bytes(data, "big", signed=True)
