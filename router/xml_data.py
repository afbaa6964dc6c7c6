"""XML from outside as data: elements become objects, in one way that is documented and within bounds.

A document type is refused, so that there are no entities to expand, no file to read and no network. Elements are
counted while the parser comes upon them, and no tree of them is built.
"""

import re
from typing import Any

import lxml.etree as untyped

from bpm.media import WIDE, codec_of

etree: Any = untyped  # lxml ships no types

MAX_DEPTH = 32
"""How deep elements may nest: as an object, one is at most as deep as JSON may be."""
MAX_VALUES = 100_000
"""Elements and attributes in one document."""
MAX_ATTRIBUTES = 200
"""Attributes of one element; namespaces that it declares are none, and count as marks."""
MAX_MARKS = 4 * MAX_VALUES
"""Tags, references and attributes' quotes, which are counted before anything is parsed."""
TEXT = "#text"

_DECLARED = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>?]{1,100}?encoding\s{0,4}=\s{0,4}["']([A-Za-z0-9._-]{1,40})["']"""
)


class XmlError(ValueError):
    """The text is not the XML that is accepted here; the message says what is wrong."""


class XmlCharsetError(XmlError):
    """The XML is in a charset that is not read."""


class _Element:
    """An element that is being read: what it holds by name, and its text so far."""

    __slots__ = ("held", "name", "texts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.held: dict[str, list[Any]] = {}
        self.texts: list[str] = []

    def hold(self, name: str, value: object) -> None:
        """Take an attribute or a child; of those with one name all are kept."""
        self.held.setdefault(name, []).append(value)

    def value(self) -> Any:
        """Return its text if it holds nothing else; an object otherwise, without text that is only blanks."""
        text = "".join(self.texts)
        if not self.held:
            return text
        fields = {name: values[0] if len(values) == 1 else values for name, values in self.held.items()}
        return {**fields, TEXT: text} if text.strip() else fields


class _Reader:
    """What the parser calls: it makes values of elements as they end."""

    def __init__(self) -> None:
        self._open = [_Element("")]
        self._values = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._count(1 + len(attributes))
        if len(attributes) > MAX_ATTRIBUTES:
            raise XmlError(f"an element has more than {MAX_ATTRIBUTES} attributes")
        if len(self._open) > MAX_DEPTH:
            raise XmlError(f"the XML is nested deeper than {MAX_DEPTH} elements")
        element = _Element(_local(tag))
        for name, value in attributes.items():
            element.hold(f"@{_local(name)}", value)
        self._open.append(element)

    def end(self, _tag: str) -> None:
        """Give a finished element to the one around it."""
        element = self._open.pop()
        self._open[-1].hold(element.name, element.value())

    def data(self, text: str) -> None:
        """Take a piece of text, CDATA included."""
        self._open[-1].texts.append(text)

    def doctype(self, *_declared: str | None) -> None:
        """Refuse a document type."""
        raise XmlError("a document type declaration (<!DOCTYPE ...>) is not allowed; leave it out")

    def close(self) -> Any:
        """Return the object of the document."""
        return self._open[0].value()

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise XmlError(_too_many())


def parse_xml(raw: bytes, charset: str | None) -> dict[str, Any]:
    """Return a document as an object with its outermost element; raises `XmlError`.

    It is read in `charset`, else in the encoding that it declares itself, else in UTF-8.
    """
    text = _text(raw, charset)
    if sum(map(text.count, ("<", "&", '="', "='"))) > MAX_MARKS:
        raise XmlError(_too_many())
    try:
        return etree.fromstring(text.encode(), _parser())
    except etree.XMLSyntaxError as error:
        problem = error.msg.partition(", try ")[0].strip()  # the parser's own options are not its caller's
        raise XmlError(f"not well-formed XML: {problem}") from None


def _parser() -> Any:
    return etree.XMLParser(
        target=_Reader(), encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def _text(raw: bytes, charset: str | None) -> str:
    name = _wide(raw) or charset or _declared(raw)
    codec = codec_of(name)
    if codec is None:
        raise XmlCharsetError(f"the charset {name[:40]!r} of the XML is not supported; send UTF-8")
    try:
        return raw.decode(codec).lstrip("\ufeff \t\r\n")
    except UnicodeDecodeError as error:
        raise XmlError(f"the XML is not {name}: byte {error.start + 1} has no meaning there") from error


def _wide(raw: bytes) -> str | None:
    """Return the charset of a text whose letters are two bytes each, by its mark or its first tag (XML 1.0, F.1)."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(raw[:2])


def _declared(raw: bytes) -> str:
    """Return the encoding that a text of single bytes declares.

    That is never UTF-16, whatever it says: a declaration that can be read so far was written into a text first, and
    the text was sent as UTF-8 afterwards.
    """
    declared = _DECLARED.match(raw)
    name = declared[1].decode() if declared else "utf-8"
    return "utf-8" if codec_of(name) in WIDE else name


def _too_many() -> str:
    return f"the XML has more than {MAX_VALUES} elements and attributes, or too many references; send it in parts"


def _local(name: str) -> str:
    """Return a name without its namespace and without a prefix that stands for none."""
    return name.rpartition("}")[2].rpartition(":")[2]
