"""Names of fields, headers and parameters that hold secrets, as different senders write them."""

import re
from functools import lru_cache

MAX_NAME = 200
"""Only so many characters of a name are looked at."""

SECRET_NAMES = frozenset(
    {
        "accesskey",
        "accesstokens",
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
        "refreshtokens",
        "secret",
        "secretkey",
        "secrets",
        "sessionid",
        "setcookie",
        "token",
        "tokens",
    }
)
"""Names, in lower case and without separators, whose values are secrets wherever they stand."""

SOURCE_NAMES = frozenset({"bpmnXml", "code", "dmnXml", "executionCode", "formJson", "script"})
"""Fields with source code, in messages that have them: nothing tells which of its texts are secrets."""

PERSONAL = frozenset({"accountnumber", "bvn", "cardnumber"})
"""Those among them that are no credentials: hidden from logs and lists, and shown to who looks at one thing."""

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


@lru_cache(maxsize=8192)
def _names_secret(name: str) -> bool:
    plain = _SEPARATORS.sub("", name.lower())
    return plain in SECRET_NAMES or bool(_STEMS.search(plain) and not _HARMLESS.search(plain))


def is_secret_name(name: object) -> bool:
    """Tell whether a field of this name holds a secret, whatever its case and separators."""
    return _names_secret(str(name)[:MAX_NAME])


@lru_cache(maxsize=8192)
def _names_credential(name: str) -> bool:
    return _names_secret(name) and _SEPARATORS.sub("", name.lower()) not in PERSONAL


def is_credential_name(name: object) -> bool:
    """Tell whether a field of this name holds a credential, rather than what is personal as an account number is."""
    text = name if isinstance(name, str) else str(name)
    return _names_credential(text if len(text) <= MAX_NAME else text[:MAX_NAME])  # no long text fills the cache


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
