"""Scripts of rules that ask for it see the request with the bytes of its body."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from bpm.testing import RunningApp

pytestmark = pytest.mark.anyio

KEY = "key-of-the-script"
VERIFIES = f"""
raw = base64.b64decode(request["bodyBase64"])
wanted = hmac.new({KEY!r}.encode(), raw, "sha256").hexdigest()
if not hmac.compare_digest(wanted, headers.get("x-sig", "")):
    reply(401, "no")
return [request["body"], request["path"], sorted(request)]
"""
NAMES = ["address", "body", "bodyBase64", "id", "method", "path", "receivedAt"]


async def rule(app: RunningApp, key: str, code: str, **fields: Any) -> None:
    """Create a rule that answers with what its script returns."""
    await app.rule(key, responseMode="sync", executionType=2, executionCode=code, **fields)


async def test_a_script_verifies_the_bytes(app: RunningApp) -> None:
    """A signature over the body as it came is proven by the script itself, blanks, digits and all."""
    await rule(app, "bytes", VERIFIES)
    body = b'{ "a": 1.50,\t"b": "\xc3\xa9" }'
    headers = {"content-type": "application/json", "x-sig": hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()}
    reply = await app.hook("bytes", body, headers)
    assert (reply.status, reply.data) == (200, [body.decode(), "bytes", NAMES])
    assert (await app.hook("bytes", body + b" ", headers)).status == 401


async def test_what_proves_the_sender_is_written_over(app: RunningApp) -> None:
    """A script sees the bytes without the field that carries the secret, as templates do."""
    config = {"scheme": "custom", "type": "static", "signatureIn": "body:proof", "secret": "proof-of-the-sender"}
    code = "return [request['body'], base64.b64decode(request['bodyBase64']).decode()]"
    await rule(app, "proven-bytes", code, signature=config)
    body = b'{"proof":"proof-of-the-sender","a":1}'
    reply = await app.hook("proven-bytes", body, {"content-type": "application/json"})
    assert reply.data == ['{"proof":"*******************","a":1}'] * 2


async def test_nothing_that_is_kept_shows_the_bytes(app: RunningApp) -> None:
    """Neither the audit log nor a dry run repeats the raw body."""
    await rule(app, "kept-bytes", "return request['method']")
    body = b'{"password":"hunter2-and-more"}'
    await app.hook("kept-bytes", body, {"content-type": "application/json"})
    found = (await app.cmd("GetAuditLogQuery", messageType="ExecuteCodeCommand", pageSize=200))["items"]
    (line,) = (line for line in found if line["fields"].get("payload") == {"password": "***"})
    assert line["fields"]["rawBody"] == "***"
    assert base64.b64encode(body).decode()[8:] not in str(found)


async def test_a_script_that_asks_for_nothing_is_given_nothing(app: RunningApp) -> None:
    """The bytes are not carried along where the script does not name the request."""
    await rule(app, "no-bytes", "return 1")
    sample = {"body": "{}", "headers": {"content-type": "application/json"}}
    config = (await app.cmd("LookupWebHookByKeyCommand", key="no-bytes"))["id"]
    tried = await app.cmd("TestWebHookConfigCommand", id=config, request=sample)
    assert not {"rawBody", "request"} & set(tried["outcome"]["message"]["fields"])
