"""The body that every benchmark sends: 1 KB of JSON, and the signature GitHub would put on it."""

import hashlib
import hmac
import json
from collections.abc import Mapping

SECRET = "benchmark-secret-of-32-characters"
SIGNATURE_HEADER = "x-hub-signature-256"
SIZE = 1024

_ORDER = {
    "rule": "bench",
    "event": "order.placed",
    "order": {"id": 4711, "currency": "NGN", "total": "12500.00"},
    "customer": {"name": "Ada Obi", "email": "ada@example.com", "address": "12 Marina, Lagos"},
    "items": [{"sku": f"SKU-{n:04}", "quantity": n + 1, "price": "1250.00"} for n in range(10)],
}


def _padded(order: Mapping[str, object]) -> bytes:
    """The order as JSON, filled up to SIZE bytes by its note."""
    missing = SIZE - len(json.dumps({**order, "note": ""}))
    return json.dumps({**order, "note": "x" * missing}).encode()


def sign(body: bytes) -> str:
    """The header's value: `sha256=` and the hex HMAC-SHA256 of the raw body."""
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, signature: str) -> bool:
    """Whether the signature belongs to the body, compared in constant time."""
    return hmac.compare_digest(sign(body), signature)


BODY = _padded(_ORDER)
