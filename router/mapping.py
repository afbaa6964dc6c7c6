"""From a request to a message's fields: the body is read as its header says, then templates see it."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Literal, NamedTuple, Protocol, cast
from urllib.parse import parse_qsl

from bpm.expressions import compile_template
from bpm.media import FORM, MARK, WIDE, charset_of, codec_of, json_in_utf8, media_type_of
from bpm.multipart import MULTIPART, Part, parts_of
from bpm.strict_json import parse_json, parse_with_names
from router.xml_data import XmlCharsetError, parse_xml

Kind = Literal["json", "form", "multipart", "text", "xml", "empty"]

MAX_FORM_FIELDS = 1_000
MAX_SHOWN = 40
MEDIA_TYPE = r"^[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,100} ?(;[\x20-\x7e]*)?$"
"""How a media type with its parameters is written."""
TEXTUAL = re.compile(r"text/.*|.*[/+]xml")


class BodyError(ValueError):
    """The body is not what its Content-Type says."""


class CharsetError(BodyError):
    """The charset of the Content-Type is none that is read."""


class Payload(NamedTuple):
    """A body as it was read: a JSON value, a form or XML as an object, a text, or None if there is no body."""

    kind: Kind
    value: Any


class JsonPayload(Payload):
    """A JSON value, with the names of all fields in it."""

    names: Set[str] = frozenset()


class MultipartPayload(Payload):
    """A multipart form as an object, with its parts, which know their places in the body."""

    parts: Sequence[Part] = ()


class Headers(dict[str, str]):
    """Headers by name, whatever its case: kept in lower case, found as in `headers.X-Request-Id`."""

    def __missing__(self, name: str) -> str:
        lowered = name.lower()
        if lowered == name:
            raise KeyError(name)
        return self[lowered]


class FieldMapping(Protocol):
    """How a message's fields are made; `fields` raises EvaluationError for what is missing."""

    def fields(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """The fields by their names on the wire."""
        ...


class TemplateMapping:
    """The fields are those of a template."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        """Compile the template; raises ExpressionError."""
        self._render = compile_template(parameters).render

    def fields(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Render the template."""
        return self._render(scope)


class NameMapping:
    """The fields are those of the payload that the message knows by the same name."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names on the wire."""
        self._names = tuple(sorted(names))

    def fields(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Pick the payload's fields; there are none if it is not an object."""
        payload = scope["payload"]
        if not isinstance(payload, dict):
            return {}
        given = cast("dict[str, Any]", payload)
        return {name: given[name] for name in self._names if name in given}


def compile_mapping(parameters: dict[str, Any] | None, field_names: frozenset[str]) -> FieldMapping:
    """The mapping that a configuration asks for: its template, else by equal names.

    `field_names` are the message's names on the wire. Raises ExpressionError.
    """
    return NameMapping(field_names) if parameters is None else TemplateMapping(parameters)


def scope_of(
    payload: object,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    path: Mapping[str, str],
    request: Mapping[str, Any],
) -> dict[str, Any]:
    """What templates and conditions see of a request; `headers` have lower-case names."""
    return {
        "payload": payload,
        "headers": Headers(headers),
        "query": dict(query),
        "path": dict(path),
        "request": request,
    }


def decode_body(content_type: str | None, raw: bytes) -> Payload:
    """Read a body as its Content-Type says and never as anything else; raises ValueError with the reason.

    JSON is `application/json`, `text/json` and `…+json`; a form becomes an object, whose repeated fields are lists.
    The parts of a multipart form become an object, too, a file an object in it. Everything else is text. All are in
    the charset that the header names, UTF-8 if none, and so is JSON that is UTF-8; a byte order mark is passed over.
    """
    if not raw:
        return Payload("empty", None)
    media_type = media_type_of(content_type)
    if is_json(media_type):
        value, names = parse_with_names(json_in_utf8(content_type or "", raw))
        payload = JsonPayload("json", value)
        payload.names = names
        return payload
    if media_type == FORM:
        return Payload("form", _form(raw, _codec(content_type or "")))
    if media_type == MULTIPART:
        parts = parts_of(content_type or "", raw)
        form = MultipartPayload("multipart", fields_of((part.name, _content(part, raw)) for part in parts))
        form.parts = parts
        return form
    return Payload("text", _text(raw, media_type, _codec(content_type or "")))


def decode_as(content_type: str, declared: str | None, raw: bytes) -> Payload:
    """Read a body as a rule says, whatever its sender declares; raises ValueError with the reason.

    XML becomes an object here, which is text where no rule says what it is. A charset and a boundary that the rule
    leaves out are those that the sender declares.
    """
    if ";" not in content_type and declared is not None and ";" in declared:
        content_type = f"{content_type};{declared.partition(';')[2]}"
    media_type = media_type_of(content_type)
    if raw and is_xml(media_type):
        return Payload("xml", _xml(raw, charset_of(content_type, "") or None))
    return decode_body(content_type, raw)


def is_xml(media_type: str) -> bool:
    """Tell whether a media type in lower case is one of XML."""
    return media_type.endswith(("/xml", "+xml"))


def is_json(media_type: str) -> bool:
    """Tell whether a media type in lower case is one of JSON."""
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def _content(part: Part, raw: bytes) -> Any:
    """Return a part of a form: a file as an object, a field as its text or, if it says so, as its JSON."""
    content = raw[part.start : part.end]
    if part.file_name is not None:
        return part.as_file(content)
    if is_json(media_type_of(part.content_type)):
        return parse_json(json_in_utf8(part.content_type, content))
    return _text(content, "text/plain", _codec(part.content_type))


def fields_of(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return pairs by name: the value of one that stands once, the list of those of one that stands several times."""
    fields: dict[str, list[Any]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def charset_problem(content_type: str) -> str | None:
    """Say that the charset a content type names is not read; None when it is."""
    charset = charset_of(content_type)
    return f"the charset {charset[:MAX_SHOWN]!r} is not supported" if codec_of(charset) is None else None


def _codec(content_type: str) -> str:
    codec = codec_of(charset_of(content_type))
    if codec is None:
        raise CharsetError(f"Content-Type: {charset_problem(content_type)}; send UTF-8")
    return codec


def _xml(raw: bytes, charset: str | None) -> dict[str, Any]:
    try:
        return parse_xml(raw, charset)
    except XmlCharsetError as error:
        raise CharsetError(str(error)) from error


def _form(raw: bytes, codec: str) -> dict[str, Any]:
    if raw.count(b"&") >= MAX_FORM_FIELDS:
        raise BodyError(f"the form has more than {MAX_FORM_FIELDS} fields")
    escaped = "utf_8" if codec in WIDE else codec
    try:
        text = raw.decode(codec).removeprefix(MARK)
        return fields_of(parse_qsl(text, keep_blank_values=True, encoding=escaped, errors="strict"))
    except UnicodeDecodeError as error:
        raise BodyError(f"the form is not {_describe_codec(codec)}") from error


def _text(raw: bytes, media_type: str, codec: str) -> str:
    """The body as text; of a type that is not textual, unreadable bytes are replaced (the raw ones are kept)."""
    try:
        return raw.decode(codec, "strict" if TEXTUAL.fullmatch(media_type) else "replace").removeprefix(MARK)
    except UnicodeDecodeError as error:
        raise BodyError(
            f"the body is not {_describe_codec(codec)}: byte {error.start + 1} has no meaning there"
        ) from error


def _describe_codec(codec: str) -> str:
    return codec.replace("_", "-").upper()
