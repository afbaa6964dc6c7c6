"""Compressed webhooks: read, verified, kept, shown and driven again as those that are not."""

import base64
import gzip
import hashlib
import hmac
import zlib
from typing import Any

import brotli
import pytest
import zstandard

from bpm.client import Reply
from bpm.testing import RunningApp
from tests.router.conftest import noting, rows

pytestmark = pytest.mark.anyio

SECRET = "a-secret-between-two"
BODY = b'{"id":"%b","amount":100.00,"password":"hunter2-and-more"}'
PACK: dict[str, Any] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
JSON = {"content-type": "application/json"}


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Sign as GitHub does."""
    return {**JSON, "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


async def rule(app: RunningApp, key: str, **fields: Any) -> None:
    """Create a rule that answers with the amount it was sent."""
    code = "return {'amount': payload['amount'], 'id': payload['id']}"
    await app.rule(key, responseMode="sync", executionType=2, commandName=None, executionCode=code, **fields)


async def hook(app: RunningApp, key: str, body: bytes, headers: dict[str, str], coding: str) -> Reply:
    """Send a compressed request."""
    return await app.hook(key, body, {**headers, "content-encoding": coding})


@pytest.mark.parametrize("coding", sorted(PACK))
async def test_a_compressed_body_is_read_and_driven_again(app: RunningApp, coding: str) -> None:
    """Signed over the bytes as they were sent, kept so, shown expanded, and executed again."""
    await rule(app, f"packed-{coding}", signature={"scheme": "github", "secret": SECRET})
    body = BODY.replace(b',"password":"hunter2-and-more"', b"") % coding.encode()
    sent = PACK[coding](body)
    reply = await hook(app, f"packed-{coding}", sent, signed(sent), coding)
    assert (reply.status, reply.data) == (200, {"amount": 100, "id": coding})
    (row,) = await rows(app, config_key=f"packed-{coding}")
    assert row.body == sent
    shown = await app.cmd("GetInboundRequestByIdQuery", requestId=row.request_id)
    assert (shown["body"], shown["bodyEncoding"]) == (body.decode(), "text")
    await app.cmd("ReplayInboundRequestCommand", requestId=row.request_id, force=True)


async def test_a_body_signed_before_it_was_compressed_is_verified(app: RunningApp) -> None:
    """As providers do that compress last; a wrong signature is wrong over both."""
    await rule(app, "packed-last", signature={"scheme": "github", "secret": SECRET})
    body = BODY % b"last"
    packed = gzip.compress(body)
    assert (await hook(app, "packed-last", packed, signed(body), "gzip")).status == 200
    assert (await hook(app, "packed-last", packed, signed(body, "guessed-secret"), "gzip")).status == 401
    assert (await hook(app, "packed-last", gzip.compress(b"{}"), signed(body), "gzip")).status == 401


async def test_secrets_in_a_compressed_body_are_kept_from_everybody(app: RunningApp) -> None:
    """It is written over whole where it is stored, and opened to execute it."""
    await rule(app, "packed-secret")
    packed = gzip.compress(BODY % b"secret")
    reply = await hook(app, "packed-secret", packed, JSON, "gzip")
    assert reply.data["id"] == "secret"
    (row,) = await rows(app, config_key="packed-secret")
    assert row.body == b"*" * len(packed)
    assert row.sealed
    shown = await app.cmd("GetInboundRequestByIdQuery", requestId=row.request_id)
    assert "hunter2" not in str(shown)
    assert base64.b64encode(packed[:20]).decode()[:20] not in str(shown)


BAD_BODIES: list[tuple[Any, ...]] = [
    (gzip.compress(bytes(64 * 1024 * 1024)), "gzip", 413, "when it is expanded"),
    (brotli.compress(b" " * 8_000_000), "br", 413, "when it is expanded"),
    (gzip.compress(b'{"id":1}')[:-4], "gzip", 400, "not all of it arrived"),
    (b'{"id":1}', "gzip", 400, "not all of it arrived"),
    (gzip.compress(b"[1}"), "gzip", 400, "not valid JSON"),
    (gzip.compress(b'{"id":1}'), "compress", 415, "send the body as it is, or as gzip"),
    (b'{"id":1}', "gzip, gzip, gzip", 415, "compress the body once"),
]


@pytest.mark.parametrize(
    ("body", "coding", "status", "words"),
    BAD_BODIES,
    ids=["bomb", "bomb of brotli", "cut", "plain", "no JSON", "unknown", "three times"],
)
async def test_what_cannot_be_expanded_is_refused(
    app: RunningApp, body: bytes, coding: str, status: int, words: str
) -> None:
    """With the status that says why; and what nobody could look into is hidden where it is kept."""
    key = f"packed-{status}-{len(body)}"
    await noting(app, key)
    reply = await hook(app, key, body, JSON, coding)
    assert (reply.status, words in " ".join(reply.errors)) == (status, True), reply
    kept = await rows(app, config_key=key)
    assert all(row.body in (b"", b"*" * len(body)) for row in kept)


async def test_a_dry_run_decides_alike(app: RunningApp) -> None:
    """A captured request is tried as it came."""
    await rule(app, "packed-dry")
    packed = gzip.compress(BODY % b"dry")
    await hook(app, "packed-dry", packed, JSON, "gzip")
    (row,) = await rows(app, config_key="packed-dry")
    tried = await app.cmd("TestWebHookConfigCommand", id=row.config_id, requestId=row.request_id)
    assert tried["verdict"]["passed"], tried
