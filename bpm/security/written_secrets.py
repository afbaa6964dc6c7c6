"""Whether there may be a secret in JSON that the product wrote: asked of the text, not of each value in it.

Looking through the text takes a tenth of the time. What it finds may be harmless, so the values are looked at then, as
`bpm.security.redaction` does; where it finds nothing there is nothing.
"""

import re
from collections.abc import Callable, Set

from bpm.security.redaction import may_have_form
from bpm.security.secret_names import is_credential_name, is_secret_name

_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
"""Stands for a quote, a backslash or a control character, none of which a secret is known by."""
_NAME = re.compile(r'[{,]"(?=([^"]*)":)')
"""Where a field may begin: it is looked at from every quote on, so that no text hides the field behind it."""


def may_hold_secret(
    written: str, secrets: Set[str] = frozenset(), is_secret: Callable[[object], bool] = is_credential_name
) -> bool:
    """Tell whether `holds_secret` may find something in the values that were written."""
    text = _ESCAPE.sub(" ", written) if "\\" in written else written
    return may_have_form(text) or any(name in secrets or is_secret(name) for name in set(_NAME.findall(text)))


def may_be_redacted(written: str, secrets: Set[str] = frozenset()) -> bool:
    """Tell whether `redacted` may change something in the values that were written."""
    return "?" in written or "://" in written or may_hold_secret(written, secrets, is_secret_name)
