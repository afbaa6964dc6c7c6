"""Bodies of every type and charset, and queries: read as their header says, or refused; stored without their secrets.

What is stored of a request comes back to the byte, and what stands under a secret name is not in it.
"""

import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

from hypothesis import strategies as st
from pydantic_core import to_json

from bpm.media import CODECS
from bpm.multipart import MultipartError
from bpm.security.secrets import SecretBox
from bpm.strict_json import StrictJsonError
from router.mapping import BodyError
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.request_secrets import RequestSecrets

MAX_SECONDS = 2.0
"""Of the processor, for a request of some kilobytes."""
SEAL = RequestSeal(SecretBox(b"k" * 32))
CANARY = "canary4711zq"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CHARSETS = [*sorted(CODECS), "utf-8", "UTF-7", "iso-2022-jp", "rot13", "idna", "unicode_escape", "'", "\0", "x" * 500]
MEDIA_TYPES = [
    *("application/json", "text/json", "application/vnd.x+json", "application/x-www-form-urlencoded", "text/plain"),
    *(
        "application/xml",
        "application/soap+xml",
        "application/octet-stream",
        "",
        ";",
        "TEXT/XML ",
        "multipart/form-data",
        "multipart/form-data; boundary=b",
    ),
]
FRAGMENTS = [
    *("{", "}", "[", "]", ":", ",", '"', "\\", "\\u0000", "\\ud800", "\\u0070", '"a":', "null", "true", "1e999", "-0"),
    *("1" * 5_000, "[" * 70, '"password":', '"to\\u006ben":', f'"{CANARY}"', "&", "=", "%", "%ff", "%00", "+", ";"),
    *(
        "password=",
        "p%61ssword=",
        CANARY,
        "<a>",
        "<password>",
        "</password>",
        "<?xml",
        "\ufeff",
        "\0",
        "\r\n",
        "é",
        "😀",
    ),
    *("token", "secret", " ", "a" * 300, "a=1&" * 1_100, "{}" * 400),
    *(
        "--b",
        "--b--",
        "\r\n\r\n",
        'Content-Disposition: form-data; name="password"',
        "; filename=f",
        "; name*=utf-8''a",
        "; name*0=a",
        "; filename*1*=%41",
        "Content-Type: ",
    ),
]
NAMES = st.sampled_from(["password", "apiKey", "a", "x_token", "é", "p%61ssword", "", "Client-Secret"])
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5), st.just(CANARY)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=12).map("".join)


def fuzz(data: st.DataObject) -> None:
    """Raise when a body is neither read nor refused, comes back as another, or shows what it should hide."""
    charset = data.draw(st.sampled_from(CHARSETS))
    headers = {"content-type": f"{data.draw(st.sampled_from(MEDIA_TYPES))}; charset={charset}"}
    raw, is_secret = _body(data, headers, charset)
    call = InboundCall("POST", "p", headers, data.draw(TEXTS), "192.0.2.1", NOON, raw)
    started = time.thread_time()
    is_read = _read(call)
    columns = SEAL.columns(call, RequestSecrets())
    row: Any = SimpleNamespace(**columns, method="POST", address=call.address, received_at=NOON, request_id=call.id)
    again = SEAL.whole(row)
    assert time.thread_time() - started < MAX_SECONDS, f"{len(raw)} bytes took too long"
    assert (again.body, again.query_string, again.headers) == (call.body, call.query_string, call.headers)
    assert len(columns["body"]) == len(raw)
    assert not (is_read and is_secret) or not _shows(columns["body"], charset), (headers, raw)


def _body(data: st.DataObject, headers: dict[str, str], charset: str) -> tuple[bytes, bool]:
    """Return a body, and whether the canary stands in it under a secret name alone."""
    kind = data.draw(st.sampled_from(["noise", "bytes", "json", "form", "parts", "xml"]))
    if kind == "noise":
        return _encoded(data.draw(TEXTS), charset), False
    if kind == "bytes":
        return data.draw(st.binary(max_size=60)), False
    value, name = data.draw(VALUES), data.draw(st.sampled_from(["password", "apiKey", "x_token", "Client-Secret"]))
    is_other = CANARY in json.dumps(value)
    if kind == "json":
        headers["content-type"] = "application/json"
        return json.dumps({"a": value, name: CANARY}, ensure_ascii=data.draw(st.booleans())).encode(), not is_other
    if kind == "form":
        headers["content-type"] = f"application/x-www-form-urlencoded; charset={charset}"
        text = f"{name}={CANARY}&a={quote_plus(json.dumps(value))}"
    elif kind == "parts":
        headers["content-type"] = f"multipart/form-data; boundary=b; charset={charset}"
        after = data.draw(TEXTS)
        return _parts({name: CANARY, "a": json.dumps(value)}, after), not is_other and CANARY not in after
    else:
        headers["content-type"] = f"text/xml; charset={charset}"
        text = f"<r><{name}>{CANARY}</{name}></r>"
        is_other = False
    return _encoded(text, charset), not is_other


def _parts(fields: dict[str, str], between: str) -> bytes:
    disposition = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    parts = [disposition.format(name, value) for name, value in fields.items()]
    return f"--b\r\n{f'--b{chr(13)}{chr(10)}'.join(parts)}--b--{between}".encode("utf-8", "replace")


def _encoded(text: str, charset: str) -> bytes:
    return text.encode(charset if charset in CODECS else "utf-8", "replace")


def _read(call: InboundCall) -> bool:
    """Tell whether the body is read; what is read can be written as JSON."""
    try:
        to_json(call.payload.value)
        to_json(call.query)
    except ValueError as refused:
        _check_refused(refused)
        return False
    return True


def _check_refused(refused: ValueError) -> None:
    assert 0 < len(str(refused)) < 500, str(refused)
    assert isinstance(refused, BodyError | StrictJsonError | MultipartError) or "more than 1000 fields" in str(
        refused
    ), refused


def _shows(body: bytes, charset: str) -> bool:
    return CANARY.encode() in body or _encoded(CANARY, charset).lstrip(b"\xff\xfe\0") in body
