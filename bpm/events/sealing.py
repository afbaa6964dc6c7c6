"""What of a subscription is stored sealed: everything that its receiver or its author wants nobody else to see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bpm.exact_json import read_json, write_json
from bpm.security.redaction import redacted_text, redacted_url
from bpm.security.sealing import (
    open_literals,
    open_text,
    redacted_literals,
    seal_literals,
    seal_text,
    with_stored_literals,
)
from bpm.security.secrets import SecretBox, SecretError
from bpm.store.rows import aware


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret deliveries are signed with, and until when; the newest has no end."""

    secret: str
    expires_at: datetime | None = None


def seal_secrets(secrets: Sequence[SigningSecret], box: SecretBox) -> str:
    """Return signing secrets as they are stored."""
    kept = [{"secret": s.secret, "expiresAt": s.expires_at.isoformat() if s.expires_at else None} for s in secrets]
    return box.encrypt(write_json(kept).decode())


def open_secrets(sealed: str, box: SecretBox) -> list[SigningSecret]:
    """Return stored signing secrets, the newest first; raises `SecretError`."""
    return [
        SigningSecret(kept["secret"], aware(kept["expiresAt"]) if kept["expiresAt"] else None)
        for kept in read_json(box.decrypt(sealed))
    ]


def seal_headers(headers: Mapping[str, str], box: SecretBox) -> str | None:
    """Return custom headers as they are stored; None when there are none."""
    return box.encrypt(write_json(dict(headers)).decode()) if headers else None


def open_headers(sealed: str | None, box: SecretBox) -> dict[str, str]:
    """Return stored custom headers; raises `SecretError`."""
    return read_json(box.decrypt(sealed)) if sealed else {}


def url_columns(url: str, box: SecretBox) -> dict[str, str | None]:
    """Return the columns of a URL: without its credentials, by which it is searched, and sealed if it has some."""
    shown = redacted_url(url)
    return {"url": shown, "sealed_url": box.encrypt(url) if shown != url else None}


def open_url(url: str, sealed_url: str | None, box: SecretBox) -> str:
    """Return the whole URL; raises `SecretError`."""
    return box.decrypt(sealed_url) if sealed_url is not None else url


def seal_transform(transform: Mapping[str, Any], stored: Mapping[str, Any] | None, box: SecretBox) -> dict[str, Any]:
    """Return a transform as it is stored, with the stored secret for every `***` of its template."""
    sealed = dict(transform)
    if "template" in transform:
        template = seal_literals(transform["template"], box)
        sealed["template"] = with_stored_literals(template, (stored or {}).get("template"))
    if transform.get("script") is not None:
        sealed["script"] = seal_text(transform["script"], box)
    return sealed


def open_transform(stored: Mapping[str, Any] | None, box: SecretBox) -> dict[str, Any]:
    """Return a stored transform as it was written; raises `SecretError`."""
    opened = dict(stored or {})
    if "template" in opened:
        opened["template"] = open_literals(opened["template"], box)
    if opened.get("script") is not None:
        opened["script"] = open_text(opened["script"], box)
    return opened


def transform_for_view(
    stored: Mapping[str, Any] | None, box: SecretBox, *, with_secrets: bool
) -> dict[str, Any] | None:
    """Return a stored transform as answers show it; secrets in its script only `with_secrets`."""
    if stored is None:
        return None
    shown = dict(stored)
    if "template" in shown:
        shown["template"] = redacted_literals(shown["template"])
    if shown.get("script") is not None:
        shown["script"] = _script_for_view(shown["script"], box, with_secrets=with_secrets)
    return shown


def has_secrets(stored: Mapping[str, Any] | None, box: SecretBox) -> bool:
    """Tell whether a stored transform holds a secret, which its receiver alone is to be sent."""
    if stored is None:
        return False
    script = _script_for_view(stored["script"], box, with_secrets=True) if stored.get("script") is not None else None
    is_in_script = script is not None and redacted_text(script) != script
    return is_in_script or redacted_literals(stored.get("template")) != stored.get("template")


def _script_for_view(stored: str, box: SecretBox, *, with_secrets: bool) -> str | None:
    try:
        script = open_text(stored, box)
    except SecretError:
        return None
    return script if with_secrets else redacted_text(script)
