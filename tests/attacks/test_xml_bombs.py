"""XML that is made to hurt: each is refused within its time, reads no file, and the server goes on answering."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from router.xml_data import XmlError, parse_xml

pytestmark = pytest.mark.anyio

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHTER = f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>'.encode()
BOMBS: dict[str, Callable[[], bytes]] = {
    "entities of entities": lambda: LAUGHTER,
    "entities of entities in UTF-16": lambda: LAUGHTER.decode().encode("utf-16"),
    "entities behind a comment": lambda: b"<!-- > --><?x?>" + LAUGHTER,
    "one large entity": lambda: b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 100_000 + b'">]><a>' + b"&x;" * 100_000 + b"</a>",
    "a document type elsewhere": lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "elements": lambda: b"<a>" + b"<b/>" * 3_000_000 + b"</a>",
    "elements of one name": lambda: b"<a>" + b"<b></b>" * 100_001 + b"</a>",
    "depth": lambda: b"<a>" * 1_000_000,
    "attributes": lambda: b"<a " + b" ".join(b"a%d=''" % n for n in range(700_000)) + b"/>",
    "attributes with blanks": lambda: b"<a " + b" ".join(b"a%d = ''" % n for n in range(300_000)) + b"/>",
    "references": lambda: b"<a>" + b"&amp;" * 2_000_000 + b"</a>",
    "an endless name": lambda: b"<" + b"a" * 10_000_000,
    "an endless comment": lambda: b"<a><!--" + b"- " * 4_000_000,
    "an endless declaration": lambda: b"<?xml " + b"encoding = " * 1_000_000,
    "a NUL": lambda: b"<a>\0</a>",
}
SECONDS = 5.0
"""Far more than any of them takes on a slow machine; without its limit each takes far longer, or is not refused."""


@pytest.fixture(scope="module")
async def app(anyio_backend: str) -> Any:
    """An application with a rule that reads XML."""
    async with running_app() as running:
        fields = {"contentType": "application/xml", "maxBodyBytes": 16 * 1024 * 1024}
        await running.rule("xml", commandName="PingQuery", parameters={}, **fields)
        yield running


@pytest.mark.parametrize("name", BOMBS)
def test_it_is_refused_at_once(name: str) -> None:
    """Before it is expanded, copied or built."""
    raw = BOMBS[name]()
    began = time.process_time()
    with pytest.raises(XmlError):
        parse_xml(raw, None)
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("entity", ["SYSTEM 'file://{}'", "PUBLIC 'x' 'file://{}'"])
def test_no_file_is_read(entity: str, tmp_path: Path) -> None:
    """Neither by an entity of its own nor by an external document type."""
    canary = tmp_path / "canary"
    canary.write_text("canary-of-the-file")
    with pytest.raises(XmlError) as caught:
        parse_xml(f"<!DOCTYPE a [<!ENTITY x {entity.format(canary)}>]><a>&x;</a>".encode(), None)
    assert "canary-of" not in str(caught.value)


@pytest.mark.parametrize("name", ["entities of entities", "elements", "depth", "a NUL"])
async def test_its_sender_is_told(app: RunningApp, name: str) -> None:
    """With a 400 and a sentence; the next request is answered as ever."""
    reply = await app.hook("xml", BOMBS[name](), {"content-type": "application/xml"})
    assert reply.status == 400
    assert any(word in str(reply.body) for word in ("XML", "DOCTYPE"))
    assert (await app.hook("xml", b"<a/>", {"content-type": "application/xml"})).status == 200
