"""What is a secret, by its name or by its form, and how it is hidden from logs, lists, traces and stores.

Every part of the product asks here: what a request carries (`router.confidential`), what a message's fields and
results hold, what a sentence or a log line repeats.
"""

import re
from collections.abc import Iterator, Mapping, Set
from functools import lru_cache
from typing import Any, cast
from urllib.parse import unquote_plus

REDACTED = "***"
_PLAIN = frozenset({int, float, bool, type(None)})
MAX_NAME = 200
"""Only so many characters of a name are looked at."""
MIN_REPEATED = 6
"""Shorter secrets are not looked for inside other texts: they would hide ordinary words."""

SECRET_NAMES = frozenset(
    {
        "accesskey",
        "accountnumber",
        "apikey",
        "authorization",
        "bvn",
        "cardnumber",
        "clientsecret",
        "cookie",
        "credential",
        "credentials",
        "cvc",
        "cvv",
        "cvv2",
        "jwt",
        "otp",
        "pass",
        "passcode",
        "passphrase",
        "passwd",
        "password",
        "pin",
        "privatekey",
        "proxyauthorization",
        "pw",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "sessionid",
        "setcookie",
        "token",
    }
)
"""Names, in lower case and without separators, whose values are secrets wherever they stand."""

_STEMS = re.compile(r"secret|passw|passphrase|passcode|pwd|credential|apikey|privatekey|accesskey|signingkey|token$")
_HARMLESS = re.compile(r"(type|count|name|length|policy|hint|url|uri|expiry|expires|expiresat|expiresin|changedat|id)$")
"""Names that end so tell something about a secret, as in `tokenType`."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")

_KEYS = (
    "access|account|api|app|auth|client|functions|hmac|hook|license|mac|master|private|secret|service|sign|signature"
    "|signing|subscription"
)
_CREDENTIAL_HEADER = re.compile(
    r"authoriz|authentication|(^|[-_])(x?auth|oauth|cookie|jwt|session|verif[-_]hash)([-_]|$)"
    rf"|secret|token|passw|credential|api-?key|(^|[-_])({_KEYS})[-_]key$"
)
_SIGNATURE_HEADER = re.compile(r"signature|(^|[-_])(sig|hmac|sign|mac)([-_]|$)")
_SECRET_FIELD = re.compile(r"^(key|code_verifier|sig|sign|hmac|auth)$|signature")
"""Names in a query besides those of `is_secret_name`."""

_OWN_FORMS = r"bpm_[A-Za-z0-9]{4,64}_[A-Za-z0-9_-]{16,128}|whsec_[A-Za-z0-9+/=]{8,512}"
_FORMS = re.compile(
    rf"\b(?:{_OWN_FORMS}|eyJ[\w-]{{8,4096}}\.eyJ[\w-]{{8,4096}}\.[\w-]{{8,1024}})"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,10000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)
"""Secrets that are known by their form: our API keys and signing secrets, JSON web tokens, private keys."""
_SCHEMES = re.compile(r"\b(basic|bearer)(\s{1,4})[\w.+/=~-]{8,8192}", re.IGNORECASE)
_USERINFO = re.compile(r"(//)[^/\s@?#'\"<>]{1,500}@")
_DOUBLE, _SINGLE, _BARE = r'"(?:[^"\\]|\\.){1,8192}"?', r"'(?:[^'\\]|\\.){1,8192}'?", r"[^\s\"'&;,<>]{1,8192}"
_ASSIGNED = re.compile(
    rf"(?<![\w.-])(?P<name>[\w.-]{{1,100}})(?:(?P<field>[\"']\s{{0,4}}:\s{{0,4}})(?:{_DOUBLE}|{_SINGLE}|-?\d{{1,40}})"
    rf"|(?P<sign>\s{{0,4}}=\s{{0,4}})(?:{_DOUBLE}|{_SINGLE})|(?P<bare>=)(?:{_BARE}))"
)
"""`"password": "x"` as in JSON, `password = "x"` as in a script, `password=x` as in a query."""


@lru_cache(maxsize=8192)
def _names_secret(name: str) -> bool:
    plain = _SEPARATORS.sub("", name.lower())
    return plain in SECRET_NAMES or bool(_STEMS.search(plain) and not _HARMLESS.search(plain))


def is_secret_name(name: object) -> bool:
    """Tell whether a field of this name holds a secret, whatever its case and separators."""
    return _names_secret(str(name)[:MAX_NAME])


@lru_cache(maxsize=8192)
def is_signature_header(name: str) -> bool:
    """Tell whether a header proves one body: worth nothing for another, but enough to send that body again.

    The last word of a name decides: `X-Auth-Signature` is a signature, `X-Signature-Key` a credential.
    """
    lowered = name.lower()[:MAX_NAME]
    return _last_match(_SIGNATURE_HEADER, lowered) > _last_match(_CREDENTIAL_HEADER, lowered)


def _last_match(pattern: re.Pattern[str], text: str) -> int:
    """Return where the last match ends, or -1 when there is none."""
    return max((found.end() for found in pattern.finditer(text)), default=-1)


@lru_cache(maxsize=8192)
def is_secret_header(name: str) -> bool:
    """Tell whether a header of this name holds a credential or a signature."""
    lowered = name.lower()[:MAX_NAME]
    return bool(_CREDENTIAL_HEADER.search(lowered) or _SIGNATURE_HEADER.search(lowered))


def is_secret_parameter(name: str) -> bool:
    """Tell whether a parameter of a query holds a secret."""
    return is_secret_name(name) or bool(_SECRET_FIELD.search(name.lower()[:MAX_NAME]))


def redacted(value: Any, secrets: Set[str] = frozenset()) -> Any:
    """Return JSON values with every secret replaced: by the usual names, by those in `secrets`, and by their form."""
    if isinstance(value, str):
        return _without_forms(redacted_url(value) if "://" in value[:10] else value)
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return {name: _redacted_field(name, inside, secrets) for name, inside in fields.items()}
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        return [inside if type(inside) in _PLAIN else redacted(inside, secrets) for inside in items]
    return value


def _redacted_field(name: Any, value: Any, secrets: Set[str]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return REDACTED if name in secrets or is_secret_name(name) else redacted(value, secrets)


def secret_texts(value: Any, secrets: Set[str] = frozenset()) -> Iterator[str]:
    """Yield the texts that `redacted` hides by their names, as far as they are long enough to be told from words."""
    if isinstance(value, Mapping):
        for name, inside in cast("Mapping[Any, Any]", value).items():
            is_secret = name in secrets or is_secret_name(name)
            yield from _texts(inside) if is_secret else secret_texts(inside, secrets)
    elif isinstance(value, list | tuple):
        for inside in cast("list[Any]", value):
            yield from secret_texts(inside, secrets)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= MIN_REPEATED and value != REDACTED:
            yield value
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


def redacted_text(text: str) -> str:
    """Return a sentence, path or log line without what looks like a secret: an assignment, a URL's user, a token."""
    text = _without_forms(text)
    if "@" in text:
        text = _USERINFO.sub(rf"\1{REDACTED}@", text)
    text = _SCHEMES.sub(rf"\1\2{REDACTED}", text)
    return _ASSIGNED.sub(_assigned, text)


def redacted_query(query: str, secrets: Set[str] = frozenset()) -> str:
    """Return a query string with the values of its secret parameters replaced; the rest stays to the letter."""
    return "&".join(_redacted_pair(pair, secrets) for pair in query.split("&"))


def redacted_url(url: str) -> str:
    """Return a URL, or the path and query of one, without credentials and secret parameters."""
    before, mark, query = _USERINFO.sub(rf"\1{REDACTED}@", url).partition("?")
    return f"{before}{mark}{redacted_query(query)}"


def _redacted_pair(pair: str, secrets: Set[str]) -> str:
    written, _, value = pair.partition("=")
    if not value:
        return pair
    name = unquote_plus(written)
    return f"{written}={REDACTED}" if name in secrets or is_secret_parameter(name) else pair


def _assigned(found: re.Match[str]) -> str:
    if not is_secret_name(found["name"]):
        return found[0]
    if found["bare"] is not None:
        return f"{found['name']}={REDACTED}"
    return f'{found["name"]}{found["field"] or found["sign"]}"{REDACTED}"'


def _without_forms(text: str) -> str:
    if "_" not in text and "eyJ" not in text and "-----BEGIN" not in text:
        return text
    return _FORMS.sub(REDACTED, text)
