"""Ids that are made of what is known, so that every attempt makes the same."""

import uuid
from collections.abc import Mapping
from typing import Any

from ..errors import Unsuitable
from .arguments import text
from .registry import function

SEED = "uuid()"
"""The scope's key under which a caller may give a text that is different for each of its requests."""
_NAMESPACE = uuid.UUID("6f0b1d1e-4c0a-4f0e-9a3e-1b7b0c6d2f55")


@function("uuid", reads_scope=True, steps=10)
def make_uuid(scope: Mapping[str, Any], name: Any = "") -> str:
    """A UUID of the request in a webhook rule: the same at every attempt, and another for each `name`."""
    try:
        seed = scope[SEED]
    except KeyError:
        raise Unsuitable("a uuid is made of a request, in a webhook rule or a command chain") from None
    try:
        return str(uuid.uuid5(_NAMESPACE, f"{seed}:{text(name)}"))
    except UnicodeEncodeError as error:
        raise Unsuitable("half a surrogate pair is no text") from error
