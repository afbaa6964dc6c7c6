"""Messages between server, zygote and child: a length and a msgpack map of fixed types, never pickle.

A frame is a little-endian 32-bit length and that many bytes. Its map has the kind of message under `t`:

| from   | to     | kinds |
|--------|--------|-------|
| server | zygote | `fork` (with the child's socket beside it), `signal` |
| zygote | server | `ready`, `forked`, `exited` |
| server | child  | `compile`, `run`, `answer`, `refused` |
| child  | server | `compiled`, `log`, `send`, `result`, `failed` |

Integers beyond 64 bits travel as extension type 1 (big-endian two's complement), numbers with a fraction as extension
type 2 (their digits in ASCII). No frame can name an
identity: the server knows which run is on which socket.
"""

import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgpack

from bpm.number import MOST_DIGITS, Number, NumberError, number_of

HEADER = struct.Struct("<I")
SOCKET = 3
"""The descriptor of a child's end of its socket."""

BIG_INTEGER = 1
BIG_INTEGER_BYTES = 1024

DECIMAL = 2
DECIMAL_BYTES = MOST_DIGITS

NOT_FORKED = -1
"""The status in `exited` of a child for which the machine had no process."""

KIND_BYTES = 16
"""The kind of a message stands within so many bytes of its body."""

_SHORT_TEXT = 0xA0
_KIND = re.compile(rb"[\x81-\x8f]\xa1t([\xa1-\xaf])([a-z]{1,12})")
"""A map of up to fifteen entries whose first key is `t`, with a short word."""


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

    def fallback(value: object) -> Any:
        if isinstance(value, int):
            return _big_integer(value)
        if isinstance(value, Number):
            return _decimal(value)
        if convert is not None:
            return convert(value)
        raise TypeError(f"A value of type {type(value).__name__} cannot travel to or from a script.")

    body = cast("bytes", msgpack.packb(message, default=fallback, unicode_errors=unicode_errors))
    return HEADER.pack(len(body)) + body


def kind_of(beginning: bytes | bytearray) -> str:
    """Return the kind of a message from the first bytes of its body, where `pack` puts it; "" when it is not there.

    The caller reads no more of a message than its kind may take, and need not parse it to know.
    """
    found = _KIND.match(beginning)
    return "" if found is None or len(found[2]) != found[1][0] - _SHORT_TEXT else found[2].decode()


def unpack(
    body: bytes | bytearray | memoryview, *, unicode_errors: str = "strict", most: int | None = None
) -> dict[str, Any]:
    """Return the message in a frame's body; raises MalformedFrameError when it is not a map with its kind.

    No list or map in it may have more than `most` entries; msgpack itself bounds how deep they nest.
    """
    bounds = {} if most is None else {"max_array_len": most, "max_map_len": most, "max_ext_len": BIG_INTEGER_BYTES}
    try:
        read = cast("Callable[..., object]", msgpack.unpackb)
        message = read(
            body, raw=False, strict_map_key=True, ext_hook=_extension, unicode_errors=unicode_errors, **bounds
        )
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


def _decimal(value: Number) -> msgpack.ExtType:
    digits = str(value).encode()
    if len(digits) > DECIMAL_BYTES:
        raise ValueError(f"A number of more than {DECIMAL_BYTES} digits cannot travel.")
    return msgpack.ExtType(DECIMAL, digits)


def _extension(code: int, data: bytes) -> int | Number:
    if code == DECIMAL:
        return _number(data)
    if code != BIG_INTEGER or len(data) > BIG_INTEGER_BYTES:
        raise ValueError("unknown extension type")
    return int.from_bytes(data, "big", signed=True)


def _number(data: bytes) -> Number:
    try:
        return number_of(data.decode("ascii"))
    except (NumberError, UnicodeDecodeError) as error:
        raise ValueError("not a number") from error
