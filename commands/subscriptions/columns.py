"""The sealed columns of a subscription: its transform and its headers."""

from collections.abc import Mapping
from typing import Any

from bpm.bus import Context
from bpm.errors import Invalid
from bpm.events.headers import HeaderError, with_stored_values
from bpm.events.sealing import open_headers, seal_headers, seal_transform
from bpm.security.redaction import REDACTED
from bpm.security.sealing import NOT_STORED, placeholders_in
from bpm.security.secrets import SecretBox, SecretError
from commands.subscriptions.fields import Transform


def transform_columns(
    transform: Transform | None, stored: Mapping[str, Any] | None, context: Context
) -> dict[str, Any]:
    """Return the columns of a transform: what it is, and who wrote its script; raises `Invalid`."""
    if transform is None:
        return {"transform": None, "script_authority": None}
    has_script = transform.script is not None
    sealed = seal_transform(transform.model_dump(exclude_unset=True), stored, context.box)
    unknown = list(placeholders_in(sealed.get("template"), "transform.template"))
    if unknown:
        raise Invalid(*(f"{place}: {REDACTED} {NOT_STORED}" for place in unknown))
    return {
        "transform": sealed,
        "script_authority": context.principal.standing.to_json() if has_script else None,
    }


def header_columns(headers: Mapping[str, str], stored: str | None, box: SecretBox) -> dict[str, str | None]:
    """Return the column of the headers, sealed, with the stored value wherever stars stand for it; raises `Invalid`."""
    try:
        known = open_headers(stored, box) if REDACTED in headers.values() else {}
        return {"headers": seal_headers(with_stored_values(headers, known), box)}
    except (HeaderError, SecretError) as error:
        raise Invalid(f"headers: {error}") from error
