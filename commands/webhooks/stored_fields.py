"""The fields of a stored draft or revision, read as if they were sent now."""

from collections.abc import Mapping
from typing import Any

from bpm.bus import Registry
from bpm.errors import Conflict
from bpm.security.secrets import SecretBox, SecretError
from router.config import WebHookFields
from router.config_secrets import open_draft
from router.tables.drafts import WebhookDraft
from router.tables.revisions import WebhookConfigRevision


def fields_of_draft(row: WebhookDraft, registry: Registry, box: SecretBox) -> WebHookFields:
    """Return a draft's fields, `***` where it keeps a secret; raises `Invalid` for what is accepted no more."""
    return _fields(row.definition, registry, box)


def fields_of_revision(row: WebhookConfigRevision, registry: Registry, box: SecretBox) -> WebHookFields:
    """Return what a configuration was, `***` for its secrets; raises `Invalid` for what is accepted no more."""
    return _fields(row.definition, registry, box)


def _fields(definition: Mapping[str, Any], registry: Registry, box: SecretBox) -> WebHookFields:
    try:
        opened = open_draft(definition, box)
    except SecretError as error:
        raise Conflict(str(error)) from error
    message = registry.decode("UpdateWebHookConfigCommand", {**opened, "id": 1})
    assert isinstance(message, WebHookFields)
    return message
