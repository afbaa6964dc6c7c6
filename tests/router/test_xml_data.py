"""XML becomes an object in one documented way, in whatever charset it comes, for rules that ask for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.security.secrets import SecretBox
from bpm.testing import RunningApp
from router.body_secrets import mask, secret_spans
from router.mapping import CharsetError, decode_as, decode_body
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.request_secrets import ALWAYS
from router.xml_data import MAX_ATTRIBUTES, MAX_DEPTH, XmlError, parse_xml
from tests.router.conftest import rows

pytestmark = pytest.mark.anyio

XML = "application/xml"
LATIN = '<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>'.encode("latin-1")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<a/>", {"a": ""}),
        ("<a> 1.50 </a>", {"a": " 1.50 "}),
        ("<a b='1'/>", {"a": {"@b": "1"}}),
        ("<a b='1'>x</a>", {"a": {"@b": "1", "#text": "x"}}),
        ("<a>\n <b>1</b>\n <b>2</b>\n <c/>\n</a>", {"a": {"b": ["1", "2"], "c": ""}}),
        ("<a>x<b>y</b>z</a>", {"a": {"b": "y", "#text": "xz"}}),
        ("<a><![CDATA[<b>]]>&amp;&#233;<!-- c --><?p i?></a>", {"a": "<b>&\xe9"}),
        ('<s:a xmlns:s="u" xmlns="v"><b s:c="1"/></s:a>', {"a": {"b": {"@c": "1"}}}),
        ('<a xmlns:s="u" b="1" s:b="2"><s:c>3</s:c><c>4</c></a>', {"a": {"@b": ["1", "2"], "c": ["3", "4"]}}),
        ("<s:a s:b='1'/>", {"a": {"@b": "1"}}),
        ("\n <?xml version='1.0'?><a-b.c/>", {"a-b.c": ""}),
    ],
)
def test_elements_become_objects(written: str, read: dict[str, Any]) -> None:
    """Elements by name, attributes with an @, text beside them as #text; several of one name are a list."""
    assert parse_xml(written.encode(), None) == read


@pytest.mark.parametrize(
    ("content_type", "declared", "raw"),
    [
        (XML, None, LATIN),
        ("text/xml; charset=latin1", "text/xml; charset=utf-8", "<a>\xe9</a>".encode("latin-1")),
        (XML, "text/plain; charset=windows-1252", "<a>\xe9</a>".encode("cp1252")),
        (XML, None, "<a>\xe9</a>".encode("utf-16")),
        (XML, None, '<?xml version="1.0" encoding="UTF-16"?><a>\xe9</a>'.encode("utf-16-le")),
        (XML, None, '<?xml version="1.0" encoding="UTF-16"?><a>\xe9</a>'.encode("utf-16-be")),
        (XML, None, '<?xml version="1.0" encoding="utf-16"?><a>\xe9</a>'.encode()),
        ("application/soap+xml", None, "\ufeff<a>\xe9</a>".encode()),
    ],
)
def test_the_charset_is_the_one_that_is_said(content_type: str, declared: str | None, raw: bytes) -> None:
    """By the rule, the header, the marks at the beginning or the document itself."""
    assert decode_as(content_type, declared, raw) == ("xml", {"a": "\xe9"})


@pytest.mark.parametrize("written", ["", " ", "{}", "<a>", "<a></b>", "<a/><b/>", "<a b='1' b='2'/>", "<a>&x;</a>"])
def test_what_is_no_xml_is_refused(written: str) -> None:
    """The sentence says what is wrong."""
    with pytest.raises(XmlError, match="not well-formed XML"):
        parse_xml(written.encode(), None)


def test_limits_are_named() -> None:
    """One more element inside, or one more attribute, than the limit is refused with it."""
    parse_xml(b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH, None)
    with pytest.raises(XmlError, match=f"deeper than {MAX_DEPTH} elements"):
        parse_xml(b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1), None)
    many = " ".join(f"a{number}='1'" for number in range(MAX_ATTRIBUTES + 1))
    with pytest.raises(XmlError, match=f"more than {MAX_ATTRIBUTES} attributes"):
        parse_xml(f"<a {many}/>".encode(), None)
    with pytest.raises(CharsetError, match="utf-7"):
        decode_as(XML, None, b"<?xml version='1.0' encoding='utf-7'?><a/>")


def test_secrets_in_it_are_written_over() -> None:
    """They are found in data as they are in text; it is put together again to the byte."""
    body = b'<a><Password>hunter2</Password><b token="t">1</b></a>'
    stored = b'<a><Password>*******</Password><b token="*">1</b></a>'
    assert mask(body, secret_spans(body, decode_as(XML, None, body))) == stored
    call = InboundCall("POST", "p", {"content-type": XML}, "", "", datetime.now(UTC), body, reads_as=XML)
    assert RequestSeal(SecretBox(b"k" * 32)).columns(call, ALWAYS)["body"] == stored


def test_no_rule_no_object() -> None:
    """What no rule asks to read stays the text it has always been."""
    assert decode_body(XML, b"<a/>") == ("text", "<a/>")


async def test_a_rule_reads_xml(app: RunningApp) -> None:
    """Templates take its fields, duplicates are known by them; what is not well-formed is refused."""
    parameters = {"event": "xml", "text": "{{payload.Document.Amt['#text']}} {{payload.Document.Amt['@Ccy']}}"}
    fields = {"commandName": "NoteCommand", "parameters": parameters, "responseMode": "sync"}
    await app.rule("xml", contentType=XML, deduplication="body:Document.Id", **fields)
    body = b'<Document xmlns="urn:iso"><Id>7</Id><Amt Ccy="EUR">19.90</Amt></Document>'
    for _ in range(2):
        assert (await app.hook("xml", body, {"content-type": "text/xml"})).data == {"reply": "19.90 EUR"}
    assert [row.cause for row in await rows(app, path="xml")] == [None, "duplicate"]
    assert (await app.hook("xml", b"<Document>", {"content-type": "text/xml"})).status == 400
