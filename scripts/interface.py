"""The functions a script calls: `log`, `print`, `send`, `reply`, `now`."""

import re
from typing import Any, cast

from scripts import clock, policy
from scripts.values import Outgoing, TooLargeError, is_header_text
from scripts.wire import Wire

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
"""A token of RFC 9110, section 5.6.2."""


class CommandError(Exception):
    """A command sent by a script was refused: `code`, `message` and a list of `errors`."""

    def __init__(self, code: int | str = "", message: str = "", errors: list[str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = errors or []

    def __str__(self) -> str:
        return ": ".join([f"{self.message} ({self.code})", *(["; ".join(self.errors)] if self.errors else [])])


class Interface:
    """What one run of a script can do: its names are put into the script's globals."""

    def __init__(self, inputs: dict[str, Any], limits: dict[str, Any], wire: Wire) -> None:
        self.answer: dict[str, Any] | None = None
        self._inputs = inputs
        self._limits = limits
        self._wire = wire
        self._sends = 0
        self._lines = 0
        self._log_room: int = limits["log_bytes"]

    def names(self) -> dict[str, Any]:
        """Return the inputs and functions by the name a script knows them by."""
        defaults: dict[str, Any] = {"headers": {}, "query": {}, "path": "", "method": "", "variables": {}}
        inputs = {name: self._inputs.get(name, defaults.get(name)) for name in policy.INPUTS}
        return inputs | {"log": self.log, "print": self.print, "send": self.send, "reply": self.reply, "now": clock.now}

    def log(self, *values: Any) -> None:
        """Write a line to the run's log; lines beyond the limit are dropped and the script goes on."""
        self._line(" ".join(map(str, values)))

    def print(self, *values: Any, sep: str | None = " ", end: str | None = "\n", flush: bool = False) -> None:
        """Write a line to the run's log, as `log` does."""
        self._line((" " if sep is None else sep).join(map(str, values)) + (end or "").rstrip("\n"))

    def send(self, command: Any, fields: Any = None, *, at_end: bool = False) -> Any:
        """Send a command through the bus and return its data; raises CommandError when it is refused.

        With `at_end` it is checked now, returns None, and is carried out when the script has ended well, in one
        transaction with all others sent so.
        """
        if not isinstance(command, str) or not command:
            raise TypeError("send() takes the name of a command and a dictionary of its fields")
        if not isinstance(fields if fields is not None else {}, dict):
            raise TypeError(f"the fields of {command} must be a dictionary")
        if self._sends >= self._limits["sends"]:
            raise RuntimeError(f"a run may send at most {self._limits['sends']} commands (limit sends)")
        try:
            args = Outgoing(self._limits["result_bytes"]).convert(fields or {}, "fields")
        except TooLargeError:
            room = self._limits["result_bytes"]
            raise ValueError(f"the fields of {command} take more than {room} bytes (limit result_bytes)") from None
        self._sends += 1
        self._wire.write({"t": "send", "command": str(command), "args": args, "at_end": bool(at_end)})
        answer = self._wire.read()
        if answer["t"] == "refused":
            raise CommandError(answer["code"], answer["message"], answer["errors"])
        return answer["data"]

    def reply(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Set the answer of a synchronous webhook; the last call counts."""
        if type(status) is not int or not 200 <= status <= 599:
            raise ValueError("reply() takes a status from 200 to 599, then the body and a dictionary of headers")
        if headers is not None and not isinstance(cast("object", headers), dict):
            raise TypeError("reply() takes its headers as a dictionary of names and values, such as {'X-Id': '1'}")
        fields = {str(name): str(value) for name, value in (headers or {}).items()}
        for name, value in fields.items():
            if not HEADER_NAME.fullmatch(name) or not is_header_text(value):
                raise ValueError(f"reply() was given a header that is not valid: {name!r}")
        self.answer = {"status": status, "body": body, "headers": fields}

    def _line(self, text: str) -> None:
        if self._lines >= self._limits["log_lines"] or self._log_room <= 0:
            return
        line = text[: self._log_room].encode("utf-8", "replace")[: self._log_room]
        self._lines += 1
        self._log_room -= len(line)
        self._wire.write({"t": "log", "text": line.decode("utf-8", "ignore")})
