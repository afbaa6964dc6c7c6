"""Untrusted XML -> a plain tree, within bounds.

A document type is refused before the parser sees it, so that there are no entities to expand (billion laughs),
no external file to read and no network; what remains is bounded by size and depth.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import lxml.etree as untyped

from bpm.model_files.problems import BpmnProblem, InvalidDefinition

etree: Any = untyped  # lxml ships no types

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_ATTRIBUTES = 200

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"

_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


@dataclass(frozen=True, slots=True)
class Tag:
    """An XML element: namespace and local name apart, attributes by Clark name (`{uri}name`) or plain name."""

    namespace: str
    name: str
    attributes: Mapping[str, str]
    text: str
    line: int
    children: tuple["Tag", ...]

    def all(self, name: str) -> Iterator["Tag"]:
        """The children of this local name that are BPMN's own."""
        return (child for child in self.children if child.name == name and child.namespace == BPMN)

    def first(self, name: str) -> "Tag | None":
        """The first such child."""
        for child in self.children:
            if child.name == name and child.namespace == BPMN:
                return child
        return None

    def get(self, attribute: str) -> str:
        """An attribute's value without surrounding space; empty if there is none."""
        return self.attributes.get(attribute, "").strip()


def read_xml(source: str | bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Tag:
    """Read a document; raise InvalidDefinition when it is not well-formed XML, too large or too deep."""
    if len(source) > max_bytes:
        raise _refused(f"the file is larger than {max_bytes:,} bytes")
    text = _decode(source) if isinstance(source, bytes) else source
    text = text.lstrip("\ufeff \t\r\n")
    if text.startswith("<!DOCTYPE", _end_of_prolog(text)):
        raise _refused("a document type declaration (<!DOCTYPE …>) is not allowed; remove it")
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise _refused("the file holds lone surrogates, which are not characters") from None
    if len(encoded) > max_bytes:
        raise _refused(f"the file is larger than {max_bytes:,} bytes")
    return _tag(_parse(encoded), max_depth)


def _refused(message: str, line: int = 0) -> InvalidDefinition:
    return InvalidDefinition([BpmnProblem(message, line=line)])


def _end_of_prolog(text: str) -> int:
    match = _PROLOG.match(text)
    return match.end() if match else 0


def _decode(source: bytes) -> str:
    declared = _ENCODING.match(source.lstrip())
    name = declared[1].decode() if declared else "utf-8"
    if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    elif source.startswith((b"<\0", b"\0<")):
        name = "utf-16-le" if source[0] else "utf-16-be"
    try:
        return source.decode(name)
    except (LookupError, UnicodeDecodeError):
        raise _refused(f"the file is not text in the encoding '{name}'") from None


def _parse(encoded: bytes) -> Any:
    # The text is UTF-8 by now, whatever its declaration says.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        return etree.fromstring(encoded, parser)
    except etree.XMLSyntaxError as error:
        raise _refused(f"the file is not well-formed XML: {error.msg}", error.lineno or 0) from None


def _tag(element: Any, depth: int) -> Tag:
    if not depth:
        raise _refused("the elements are nested too deep", element.sourceline)
    if len(element.attrib) > MAX_ATTRIBUTES:  # lxml takes quadratic time to hand them over
        raise _refused(f"an element has more than {MAX_ATTRIBUTES} attributes", element.sourceline)
    namespace, _, name = element.tag.rpartition("}")
    return Tag(
        namespace=namespace[1:],
        name=name,
        attributes=dict(element.items()),
        text=element.text or "",
        line=element.sourceline,
        children=tuple([_tag(child, depth - 1) for child in element]),
    )
