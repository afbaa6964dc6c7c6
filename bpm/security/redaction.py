"""What is secret by its name or by its form is hidden from logs, lists, traces and stores.

Every part of the product asks here: what a request carries (`router.request_secrets`), what a message's fields and
results hold, what a sentence or a log line repeats.
"""

import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast
from urllib.parse import unquote_plus

from bpm.number import Number
from bpm.security.secret_names import is_credential_name, is_secret_name, is_secret_parameter

REDACTED = "***"
_PLAIN = frozenset({int, float, Number, bool, type(None)})
MIN_REPEATED = 6
"""Shorter secrets are not looked for inside other texts: they would hide ordinary words."""

_OWN_FORMS = r"bpm_[A-Za-z0-9]{4,64}_[A-Za-z0-9_-]{16,128}|whsec_[A-Za-z0-9+/=]{8,512}"
_FORMS = re.compile(
    rf"\b(?:{_OWN_FORMS})"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,10000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)
"""Secrets that are known by their form: our API keys and signing secrets, and private keys."""
_BEGINNINGS = ("bpm_", "whsec_", "eyJ", "-----BEGIN")
_TOKEN = re.compile(r"(?<![\w-])(?P<before>(?>(?:[\w-]*?-)??(?=eyJ)))eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]{8,1024}")
"""A JSON web token in a word, which is read once however often the word seems to begin one."""
_SCHEMES = re.compile(r"\b(basic|bearer)(\s{1,4})[\w.+/=~-]{8,8192}", re.IGNORECASE)
_USERINFO = re.compile(r"(//)[^/\s@?#'\"<>]{1,500}@")
_WHOLE_USERINFO = re.compile(r"\A[^/?#]*@")
_DOUBLE, _SINGLE, _BARE = r'"(?:[^"\\]|\\.){1,8192}"?', r"'(?:[^'\\]|\\.){1,8192}'?", r"[^\s\"'&;,<>]{1,8192}"
_ASSIGNED = re.compile(
    rf"(?<![\w.-])(?P<name>[\w.-]{{1,100}})(?:(?P<field>[\"']\s{{0,4}}:\s{{0,4}})(?:{_DOUBLE}|{_SINGLE}|-?\d{{1,40}})"
    rf"|(?P<sign>\s{{0,4}}=\s{{0,4}})(?:{_DOUBLE}|{_SINGLE})|(?P<bare>=)(?:{_BARE}))"
)
"""`"password": "x"` as in JSON, `password = "x"` as in a script, `password=x` as in a query."""

_GROUP = re.compile(r"[\"'](?P<name>[\w.-]{1,100})[\"']\s{0,4}[:=]\s{0,4}(?=[\[{])")
"""`"passwords": [` as in JSON."""

_PARAMETER = re.compile(
    r"(?P<tag><(?>[^<>]*?\bname\s{0,4}=\s{0,4})[\"'](?P<name>[\w.-]{1,100})[\"'][^<>]*+>)(?P<value>[^<]{1,8192}+)(?=<)"
)
"""An element of a diagram that has a `name`: each is read once, from where it begins."""


def redacted(
    value: object, secrets: Set[str] = frozenset(), is_secret: Callable[[object], bool] = is_secret_name
) -> Any:
    """Return JSON values with every secret replaced: by the usual names, by those in `secrets`, and by their form."""
    if isinstance(value, str):
        return _without_forms(redacted_url(value) if "?" in value or "://" in value else value)
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return {name: _redacted_field(name, inside, secrets, is_secret) for name, inside in fields.items()}
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        return [inside if type(inside) in _PLAIN else redacted(inside, secrets, is_secret) for inside in items]
    return value


def without_credentials(value: object) -> Any:
    """Return JSON values with every credential replaced; what is personal stays."""
    return redacted(value, is_secret=is_credential_name)


def _redacted_field(name: object, value: object, secrets: Set[str], is_secret: Callable[[object], bool]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return REDACTED if name in secrets or is_secret(name) else redacted(value, secrets, is_secret)


def holds_secret(value: object, secrets: Set[str] = frozenset()) -> bool:
    """Tell whether JSON values hold a credential, by the usual names, by those in `secrets`, or by its form."""
    if isinstance(value, str):
        return _without_forms(value) is not value
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return any(_is_secret_field(*field, secrets) for field in fields.items())
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        return any(type(inside) not in _PLAIN and holds_secret(inside, secrets) for inside in items)
    return False


def _is_secret_field(name: object, value: object, secrets: Set[str]) -> bool:
    if value is None or isinstance(value, bool) or value == "":
        return False
    return name in secrets or is_credential_name(name) or holds_secret(value, secrets)


def secret_texts(value: object, secrets: Set[str] = frozenset()) -> Iterator[str]:
    """Yield the texts that `redacted` hides by their names, as far as they are long enough to be told from words."""
    if isinstance(value, Mapping):
        for name, inside in cast("Mapping[Any, Any]", value).items():
            is_secret = name in secrets or is_secret_name(name)
            yield from _texts(inside) if is_secret else secret_texts(inside, secrets)
    elif isinstance(value, list | tuple):
        for inside in cast("list[Any]", value):
            if type(inside) not in _PLAIN:
                yield from secret_texts(inside, secrets)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= MIN_REPEATED and value != REDACTED:
            yield from {value, repr(value)[1:-1], json.dumps(value)[1:-1]}  # as errors and traces may write it
    elif isinstance(value, Mapping):
        for inside in cast("Mapping[Any, Any]", value).values():
            yield from _texts(inside)
    elif isinstance(value, list | tuple):
        for inside in cast("list[Any]", value):
            yield from _texts(inside)


def without(text: str, secrets: Set[str]) -> str:
    """Return a text without these secrets, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return text


def without_everywhere(value: object, secrets: Set[str]) -> Any:
    """Return JSON values without these secrets in any of their texts."""
    if isinstance(value, str):
        return without(value, secrets)
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return {name: without_everywhere(inside, secrets) for name, inside in fields.items()}
    if isinstance(value, list | tuple):
        return [without_everywhere(inside, secrets) for inside in cast("list[Any]", value)]
    return value


def without_secrets_of(sentences: Iterable[str], value: object, secrets: Set[str] = frozenset()) -> tuple[str, ...]:
    """Return sentences without the secrets that these JSON values hold, which they may repeat, and without our own."""
    known = set(secret_texts(value, secrets))
    return tuple(_without_forms(without(sentence, known) if known else sentence) for sentence in sentences)


_hidden: ContextVar[frozenset[str]] = ContextVar("hidden", default=frozenset())


@contextmanager
def hidden_from_logs(value: object, secrets: Set[str] = frozenset()) -> Generator[None]:
    """Write no log line with a secret that these JSON values hold: the trace of an error may repeat it."""
    token = _hidden.set(_hidden.get() | set(secret_texts(value, secrets)))
    try:
        yield
    finally:
        _hidden.reset(token)


def redacted_text(text: str) -> str:
    """Return a sentence, path or log line without what looks like a secret: an assignment, a URL's user, a token."""
    text = _without_forms(without(text, _hidden.get()))
    if "@" in text:
        text = _USERINFO.sub(rf"\1{REDACTED}@", text)
    text = _SCHEMES.sub(rf"\1\2{REDACTED}", text)
    return _ASSIGNED.sub(_assigned, _without_groups(text))


def redacted_xml(text: str) -> str:
    """Return a diagram without the texts of elements whose `name` says that they are secret; templates stay."""
    return _PARAMETER.sub(_parameter, text)


def redacted_query(query: str, secrets: Set[str] = frozenset()) -> str:
    """Return a query string with the values of its secret parameters replaced; the rest stays to the letter."""
    return "&".join(_redacted_pair(pair, secrets) for pair in query.split("&"))


def redacted_url(url: str) -> str:
    """Return a URL, or the path and query of one, without credentials and secret parameters."""
    before, mark, query = _USERINFO.sub(rf"\1{REDACTED}@", url).partition("?")
    return f"{before}{mark}{redacted_query(query)}"


def redacted_address(address: str) -> str:
    """Return a URL that is no part of a longer text without credentials, of whatever characters these are."""
    scheme, slashes, rest = address.partition("//")
    return redacted_url(f"{scheme}{slashes}{_WHOLE_USERINFO.sub(f'{REDACTED}@', rest)}")


def _redacted_pair(pair: str, secrets: Set[str]) -> str:
    written, _, value = pair.partition("=")
    if not value:
        return pair
    name = unquote_plus(written)
    return f"{written}={REDACTED}" if name in secrets or is_secret_parameter(name) else pair


def _parameter(found: re.Match[str]) -> str:
    is_template = "{{" in found["value"] or "${" in found["value"] or not found["value"].strip()
    return found[0] if is_template or not is_secret_name(found["name"]) else f"{found['tag']}{REDACTED}"


def _without_groups(text: str) -> str:
    """Return a text without the lists and objects that are assigned to secret names, up to where each one ends."""
    groups = [found for found in _GROUP.finditer(text) if is_secret_name(found["name"])]
    ends: dict[int, tuple[int, int]] = {}
    for at in reversed(range(len(groups))):
        ends[at] = _end_of_group(text, groups, ends, at)
    kept, place, at = list[str](), 0, 0
    while at < len(groups):
        kept.append(f'{text[place : groups[at].end()]}"{REDACTED}"')
        place, at = ends[at]
    return "".join([*kept, text[place:]])


def _end_of_group(
    text: str, groups: Sequence[re.Match[str]], ends: Mapping[int, tuple[int, int]], at: int
) -> tuple[int, int]:
    """Return where a group is over, and which one is the next after it; those inside of it end before it does."""
    closing = "]" if text[groups[at].end()] == "[" else "}"
    place, inside = groups[at].end(), at + 1
    while inside < len(groups):
        end = text.find(closing, place, groups[inside].start())
        if end >= 0:
            return end + 1, inside
        place, inside = ends[inside]
    end = text.find(closing, place)
    return (end + 1 if end >= 0 else len(text)), inside


def _assigned(found: re.Match[str]) -> str:
    if not is_secret_name(found["name"]):
        return found[0]
    if found["bare"] is not None:
        return f"{found['name']}={REDACTED}"
    return f'{found["name"]}{found["field"] or found["sign"]}"{REDACTED}"'


def may_have_form(text: str) -> bool:
    """Tell whether a text may hold a secret that is known by its form; there is none where it may not."""
    for beginning in _BEGINNINGS:  # noqa: SIM110 every text passes here, and a generator costs more than the search
        if beginning in text:
            return True
    return False


def _without_forms(text: str) -> str:
    if not may_have_form(text):
        return text
    tokens = 0
    if "eyJ" in text:
        text, tokens = _TOKEN.subn(rf"\g<before>{REDACTED}", text)
    found, count = _FORMS.subn(REDACTED, text)
    return found if count or tokens else text
