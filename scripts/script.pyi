"""What an inline script sees without importing anything, for editors.

A script also ends with `return value` at its top level, or leaves its answer in `result`. The modules of
`scripts.policy` are there by name and can be imported as usual.
"""

import datetime
from typing import Any

payload: Any
"""The body of the request, parsed; in a process whatever the task was given."""
headers: dict[str, str]
"""Headers of the request, by lower-case name."""
query: dict[str, str]
path: str
method: str
request_id: str | None
request: dict[str, Any]
"""The request itself: `id method path address receivedAt`, its `body` as text, and in base64 as `bodyBase64`."""
variables: dict[str, Any]
"""The variables of the process; changes are kept when the script ends well."""
result: Any
"""The answer of the script: JSON types, and Decimal, UUID, dates and times, which become text."""

class CommandError(Exception):
    """A command was refused."""

    code: int | str
    message: str
    errors: list[str]

def send(command: str, fields: dict[str, Any] | None = None, *, at_end: bool = False) -> Any:
    """Send a command with the permissions of the rule and return its data; raises CommandError.

    With `at_end` it is checked now, returns None, and is carried out when the script has ended well: in order, and
    all or none of those sent so.
    """

def reply(status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
    """Set the answer of a synchronous webhook."""

def log(*values: Any) -> None:
    """Write a line to the log of the run; `print` does the same."""

def now() -> datetime.datetime:
    """Return the moment of the run in UTC; it stands still, so that the run can be replayed."""
