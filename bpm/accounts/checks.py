"""What a user name, a password, a role and a permission may look like.

Each check returns its value, or raises `ValueError` with the rest of a sentence that begins with the field.
"""

import re

from bpm.security.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from bpm.security.permissions import RESERVED_EVENTS, ROLES, SCOPES, SYSTEM

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_PERMISSION = re.compile(r"(\*|[a-z][a-z0-9_-]{0,49}):(read|write)")


def check_username(name: str) -> str:
    """Let names and mail addresses through; never a `:`, which marks a principal's id."""
    if not _USERNAME.fullmatch(name):
        raise ValueError(
            "must be 1 to 100 letters, digits, '.', '_', '@', '+' or '-', beginning with a letter or digit"
        )
    if name.lower() == SYSTEM.name:
        raise ValueError(f"must not be {SYSTEM.name!r}, under which the product itself stands in the audit log")
    return name


def check_password(password: str) -> str:
    """Ask for length and nothing else (NIST SP 800-63B, section 3.1.1.2)."""
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise ValueError(f"must have between {MIN_CHARACTERS} and {MAX_CHARACTERS} characters")
    return password


def check_role(role: str) -> str:
    """Let the known roles through."""
    if role not in ROLES:
        raise ValueError(f"must be one of {', '.join(ROLES)}")
    return role


def check_permission(permission: str) -> str:
    """Let `area:read`, `area:write`, both with `*` for every area, and `events:reserved` through."""
    if permission != RESERVED_EVENTS and not _PERMISSION.fullmatch(permission):
        raise ValueError("must be a permission such as webhooks:read, webhooks:write or *:read")
    return permission


def check_scope(scope: str) -> str:
    """Let permissions through, and the scopes that other products have names of their own for."""
    return scope if scope in SCOPES else check_permission(scope)
