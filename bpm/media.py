"""How a body is written: type and charset of its `Content-Type`, and what its `Content-Encoding` says must be unpacked.

Charsets are those of a list: a name from outside is never given to Python's codecs, which would import and remember it.
"""

import re
from codecs import BOM_UTF8
from encodings.aliases import aliases

FORM = "application/x-www-form-urlencoded"

_CODECS = """
    ascii utf_8 utf_16 utf_16_be utf_16_le utf_32
    latin_1 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_11
    iso8859_13 iso8859_14 iso8859_15 iso8859_16
    cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp852 cp866 cp874
    koi8_r koi8_u mac_roman shift_jis cp932 euc_jp euc_kr cp949 gb2312 gbk gb18030 big5 tis_620
"""
CODECS = frozenset(_CODECS.split())
"""What is read. Charsets whose escape sequences hide ASCII (UTF-7, ISO-2022) are left out."""

WIDE = frozenset({"utf_16", "utf_16_be", "utf_16_le", "utf_32"})
"""Codecs in which ASCII is not itself; a form's `%…` are UTF-8 there, as in the URL Standard."""

MARK = "\ufeff"
"""The mark of the byte order, before a text and no part of it."""

PLAIN = frozenset({"", "identity", "none", "7bit", "8bit", "binary"})
"""Values of `Content-Encoding` that change nothing, those of MIME's transfer encodings among them."""

_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s\"';]*)", re.IGNORECASE)
_BY_NAME = {
    **{alias: codec for alias, codec in aliases.items() if codec in CODECS},
    **{codec: codec for codec in CODECS},
    "windows_874": "cp874",
    "x_sjis": "cp932",
}


def media_type_of(content_type: str | None) -> str:
    """Return the type that a `Content-Type` names, in lower case and without parameters; empty when it names none."""
    return (content_type or "").partition(";")[0].strip().lower()


def codec_of(charset: str) -> str | None:
    """Return Python's codec for a charset's name (`windows-1252`, `Latin1`), None for one that is not read."""
    return _BY_NAME.get(charset.lower().replace("-", "_").replace(":", "_"))


def charset_of(content_type: str, default: str = "utf-8") -> str:
    """Return the charset that a `Content-Type` names, the default when it names none."""
    found = _CHARSET.search(content_type)
    return (found and found[1]) or default


def json_in_utf8(content_type: str, raw: bytes) -> bytes:
    """Return JSON in UTF-8, as it should have come (RFC 8259, 8.1), without a mark of the byte order.

    What is no UTF-8, or holds zero bytes, which JSON in UTF-8 never does, is read in the charset that is declared; a
    charset beside what is UTF-8 all the same means nothing. What can be read in neither way is returned as it is.
    """
    plain = raw.removeprefix(BOM_UTF8)
    codec = codec_of(charset_of(content_type))
    if codec in (None, "utf_8", "ascii") or (b"\0" not in plain and is_utf8(plain)):
        return plain
    try:
        return plain.decode(codec).removeprefix(MARK).encode()
    except UnicodeDecodeError:
        return plain


def is_utf8(raw: bytes) -> bool:
    """Tell whether bytes are text in UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def packing(content_encoding: str) -> str | None:
    """Return what a body must be unpacked from, None when it stands as it is.

    An empty value, `identity` however often, and a charset, which belongs to `Content-Type`, mean nothing.
    """
    codings = [coding.strip() for coding in content_encoding.split(",")]
    return next((c for c in codings if c.lower() not in PLAIN and codec_of(c) is None), None)
