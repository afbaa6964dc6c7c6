"""Keep secrets out of logs, lists and traces."""

from collections.abc import Set
from typing import Any

REDACTED = "***"
SECRET_NAMES = frozenset(
    {
        "accesstoken",
        "apikey",
        "authorization",
        "bvn",
        "cookie",
        "accountnumber",
        "password",
        "proxyauthorization",
        "refreshtoken",
        "secret",
        "secretkey",
        "secrets",
        "setcookie",
        "token",
        "verifytoken",
    }
)
"""Field names, without case, dashes and underscores, whose values are secrets wherever they stand."""


def redacted(value: Any, secrets: Set[str] = frozenset()) -> Any:
    """Return JSON values with every secret replaced, by the usual names and by the names in `secrets`."""
    if isinstance(value, dict):
        return {k: REDACTED if _is_secret(k, secrets) else redacted(v, secrets) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [redacted(v, secrets) for v in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _is_secret(name: object, secrets: Set[str]) -> bool:
    text = str(name)
    return text in secrets or text.lower().replace("-", "").replace("_", "") in SECRET_NAMES
