"""What became of a message."""

from dataclasses import dataclass
from typing import Any

from bpm.errors import BpmError
from bpm.exact_json import read_json


@dataclass(slots=True)
class Outcome:
    """Either data or an error; `json` is the data as it goes over the wire, once somebody needed it.

    `replayed` says that the answer was given before and nothing was executed now.
    """

    data: Any = None
    error: BpmError | None = None
    message: str = ""
    json: bytes | None = None
    replayed: bool = False

    @property
    def ok(self) -> bool:
        """Whether the handler succeeded."""
        return self.error is None

    @property
    def wire(self) -> Any:
        """The data as plain JSON values."""
        return read_json(self.json) if self.json is not None else None

    def unwrap(self) -> Any:
        """Return the data, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.data
