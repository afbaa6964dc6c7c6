"""Identifiers that sort by the time they were made."""

import os
import time
import uuid


def new_id() -> str:
    """Return a UUID of version 7 (RFC 9562): milliseconds first, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64
    return str(uuid.UUID(int=value | 0b10 << 62 | random & 0x3FFFFFFFFFFFFFFF))
