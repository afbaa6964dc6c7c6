"""Forms with files: each part by its name, its bytes where the body has them."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.multipart import MAX_PARTS, MultipartError, parts_of
from bpm.testing import RunningApp
from router.body_secrets import mask, secret_spans
from router.mapping import decode_body
from tests.router.conftest import rows

pytestmark = pytest.mark.anyio

TYPE = "multipart/form-data; boundary=edge"


def part(name: str, content: bytes, more: str = "") -> bytes:
    """Return one part; `more` are further options and headers."""
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    """Return a body of parts."""
    return b"".join(parts) + b"--edge--\r\n"


@given(st.lists(st.binary(max_size=60) | st.text("\r\n-edg", max_size=30).map(str.encode), min_size=1, max_size=5))
def test_contents_are_those_that_were_sent(contents: list[bytes]) -> None:
    """Whatever bytes they are, also those that look like the beginning of a boundary."""
    contents = [content for content in contents if b"\r\n--edge" not in b"\r\n" + content + b"\r\n"]
    body = form(*(part(f"p{at}", content) for at, content in enumerate(contents)))
    found = parts_of(TYPE, body)
    assert [body[each.start : each.end] for each in found] == contents


@pytest.mark.parametrize("before", [b"", b"\r\n", b"A preamble.\r\n", b"--edges\r\n--\r\n"])
@pytest.mark.parametrize("after", [b"", b"An epilogue."])
def test_what_stands_around_the_parts_means_nothing(before: bytes, after: bytes) -> None:
    """Senders of mail write a sentence before the first boundary (RFC 2046, 5.1.1)."""
    body = before + form(part("a", b"1"), part("b", b"")) + after
    assert [body[each.start : each.end] for each in parts_of(TYPE, body)] == [b"1", b""]


def test_fields_files_and_json() -> None:
    """A field is text in its charset, a file an object, JSON its value; a name that stands twice is a list."""
    body = form(
        part("who", "René".encode()),
        part("latin", b"Ren\xe9", "\r\nContent-Type: text/plain; charset=latin-1"),
        part("photo", b"\x00\xff", '; filename="a.png"\r\nContent-Type: image/png'),
        part("data", b'{"amount": 100.00}', "\r\nContent-Type: application/json"),
        part("tag", b"a"),
        part("tag", b"b"),
    )
    payload = decode_body(TYPE, body)
    assert payload.kind == "multipart"
    assert str(payload.value.pop("data")["amount"]) == "100.00"
    assert payload.value == {
        "who": "René",
        "latin": "René",
        "photo": {
            "fileName": "a.png",
            "contentType": "image/png",
            "size": 2,
            "base64": base64.b64encode(b"\x00\xff").decode(),
        },
        "tag": ["a", "b"],
    }


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("multipart/form-data", form(part("a", b"1")), "needs a boundary"),
        ("multipart/form-data; boundary=other", form(part("a", b"1")), "with the boundary of its Content-Type"),
        (TYPE, part("a", b"1"), "ends before its last boundary"),
        (TYPE, form(part("", b"1")), "has no name"),
        (TYPE, form(*(part("a", b"1") for _ in range(MAX_PARTS + 1))), f"more than {MAX_PARTS} parts"),
        (TYPE, form(part("a", b"1", "\r\nX-Long: " + "x" * 5_000)), "with the boundary of its Content-Type"),
        (TYPE, form(part("a", b"1", "\r\nContent-Disposition: form-data; name=b")), "a header twice"),
    ],
)
def test_what_is_no_form_is_refused(content_type: str, body: bytes, words: str) -> None:
    """With a sentence, and within bounds."""
    with pytest.raises(MultipartError, match=words):
        decode_body(content_type, body)


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt", "naïve €.txt"),
        ("filename*=iso-8859-1'en'%A3%20rates", "£ rates"),
        ("filename*=UTF-8''%FF.txt", "\ufffd.txt"),
        ("filename*0*=UTF-8''na%C3%AF; filename*1=ve.txt", "naïve.txt"),
        ("filename=\"x.txt\"; filename*=UTF-8''y.txt", "x.txt"),
        ("filename*=UTF-8''y.txt; filename=x.txt", "x.txt"),
        ("filename=\"a; filename*=UTF-8''y.txt\"", "a; filename*=UTF-8''y.txt"),
    ],
)
def test_a_files_name_may_have_a_charset(option: str, name: str) -> None:
    """As RFC 2231 writes it; the plain one counts where there are both."""
    payload = decode_body(TYPE, form(part("photo", b"\x00\xff", f"; {option}")))
    assert (payload.value["photo"]["fileName"], payload.value["photo"]["base64"]) == (name, "AP8=")


def test_a_fields_name_may_have_a_charset() -> None:
    """A name that only looks like a file's is none."""
    head = b"--edge\r\nContent-Disposition: form-data; name*=UTF-8''caf%C3%A9\r\n\r\nx\r\n"
    assert decode_body(TYPE, form(head, part("a; filename*=UTF-8''b", b"1"))).value == {
        "café": "x",
        "a; filename*=UTF-8''b": "1",
    }
    with pytest.raises(MultipartError, match="the charset 'idna'"):
        decode_body(TYPE, form(part("a", b"1", "; filename*=idna''a")))


@pytest.mark.parametrize("name", ["name", "filename"])
@pytest.mark.parametrize("pieces", ["*=utf-8''%41; {}*0=a", "*0=a; {}*=utf-8''%41", "*0=a; {}*0=b", "*=''a; {}*=''b"])
def test_pieces_of_an_option_that_do_not_go_together_are_refused(name: str, pieces: str) -> None:
    """The library that puts them together raises what nobody expects, or takes one of them, by Python's version."""
    option = f"{name}{pieces.format(name)}"
    body = form(f"--edge\r\nContent-Disposition: form-data; {option}\r\n\r\n1\r\n".encode())
    with pytest.raises(MultipartError, match=f"a part's {name} can't be put together"):
        decode_body(TYPE, body if name == "name" else body.replace(b"data;", b"data; name=a;"))


def test_a_boundary_of_no_header_is_refused() -> None:
    """A trial may say what can't come over HTTP."""
    with pytest.raises(MultipartError):
        parts_of("multipart/form-data; boundary=\u0142", form(part("a", b"1")))


def test_secrets_are_found_in_parts() -> None:
    """By the name of the part, or because its content mentions one; the rest stays readable."""
    body = form(part("password", b"hunter2"), part("a", b"1"), part("j", b'{"token":"t0ken"}'))
    stored = mask(body, secret_spans(body, decode_body(TYPE, body)))
    assert b"hunter2" not in stored
    assert b"t0ken" not in stored
    assert decode_body(TYPE, stored).value["a"] == "1"


async def test_a_form_with_a_file_is_executed(app: RunningApp) -> None:
    """A script is given both; what is stored is the body as it came."""
    code = "return [payload['who'], base64.b64decode(payload['file']['base64']).decode()]"
    await app.rule("parts", responseMode="sync", executionType=2, commandName=None, executionCode=code)
    body = form(part("who", b"Ada"), part("file", b"1,2", '; filename="a.csv"\r\nContent-Type: text/csv'))
    reply = await app.request("POST", "/api/webhooks/parts", body, {"content-type": TYPE})
    assert (reply.status, reply.data) == (200, ["Ada", "1,2"])
    (row,) = await rows(app, config_key="parts")
    assert row.body == body
    refused = await app.request("POST", "/api/webhooks/parts", body[:-10], {"content-type": TYPE})
    assert (refused.status, "last boundary" in json.dumps(refused.errors)) == (400, True)
