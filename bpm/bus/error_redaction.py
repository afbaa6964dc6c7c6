"""What errors repeat of a message's secrets is taken out: their sentences are written down in many places."""

from typing import Any

from bpm.bus.envelope import Envelope
from bpm.errors import BpmError
from bpm.security.redaction import without_secrets_of


def secrets_of(envelope: Envelope) -> tuple[dict[str, Any], frozenset[str]]:
    """Return a message's fields, and the names of those that are secret besides the usual ones."""
    message = envelope.message
    return message.model_dump(mode="json", by_alias=True, exclude_unset=True, fallback=str), message.secrets


def redact_error(envelope: Envelope, error: BpmError) -> BpmError:
    """Return an error whose sentences repeat none of the message's secrets."""
    error.message, *sentences = without_secrets_of([error.message, *error.errors], *secrets_of(envelope))
    error.errors = tuple(sentences)
    error.args = ("; ".join(sentences),)
    return error
