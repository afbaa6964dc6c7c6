"""The sandbox for inline scripts: Python that administrators write, run where it can do no harm.

`scripts/` is a package of the product, not a folder of chores. A script is compiled by RestrictedPython (the
language layer, `policy`) and runs in a locked process of its own (the wall, `locks`); the server talks to it
through `Sandbox`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scripts.server.client import Sandbox
    from scripts.shared.limits import Limits
    from scripts.shared.outcome import (
        Check,
        CommandRefused,
        Failure,
        Isolation,
        Problem,
        Reason,
        Reply,
        Run,
        SandboxBusy,
        SandboxUnavailable,
        Send,
    )

__all__ = [
    "Check",
    "CommandRefused",
    "Failure",
    "Isolation",
    "Limits",
    "Problem",
    "Reason",
    "Reply",
    "Run",
    "Sandbox",
    "SandboxBusy",
    "SandboxUnavailable",
    "Send",
]


def __getattr__(name: str) -> Any:
    """Import the server's side when it is asked for: the zygote imports this package too, and stays small."""
    if name not in __all__:
        raise AttributeError(f"module 'scripts' has no attribute {name!r}")
    from scripts.server import client
    from scripts.shared import limits, outcome

    return next(getattr(module, name) for module in (client, limits, outcome) if hasattr(module, name))
