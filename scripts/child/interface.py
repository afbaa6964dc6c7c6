"""The functions a script calls: `log`, `print`, `send`, `reply`, `now`."""

from typing import Any, cast

from scripts.child import clock
from scripts.child.wire import Wire
from scripts.shared import policy
from scripts.shared.headers import problem_with
from scripts.shared.values import Outgoing, TooLargeError


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
        self._reply: dict[str, Any] | None = None
        self._ended = False
        self._inputs = inputs
        self._limits = limits
        self._wire = wire
        self._sends = 0
        self._lines = 0
        self._log_room: int = limits["log_bytes"]

    def names(self) -> dict[str, Any]:
        """Hand over the inputs and functions by the name a script knows them by."""
        empty: dict[str, Any] = {name: {} for name in ("headers", "query", "request", "variables")}
        defaults = empty | {"path": "", "method": ""}
        given, self._inputs = self._inputs, {}
        inputs = {name: given.get(name, defaults.get(name)) for name in policy.INPUTS}
        return inputs | {"log": self.log, "print": self.print, "send": self.send, "reply": self.reply, "now": clock.now}

    def take_answer(self) -> dict[str, Any] | None:
        """Hand over what the script replied, None when it did not."""
        answer, self._reply = self._reply, None
        return answer

    def revoke(self) -> None:
        """End the run: whatever of the script acts from here on gets an error instead."""
        self._ended = True

    def log(self, *values: Any) -> None:
        """Write a line to the run's log; lines beyond the limit are dropped and the script goes on."""
        self._line(" ".join(map(str, values)))

    def print(self, *values: Any, sep: str | None = " ", end: str | None = "\n", flush: bool = False) -> None:
        """Write a line to the run's log, as `log` does."""
        for name, value in (("sep", sep), ("end", end)):
            if value is not None and not isinstance(cast("object", value), str):
                raise TypeError(f"{name} must be None or a string, not a value of type {type(value).__name__}")
        self._line((" " if sep is None else sep).join(map(str, values)) + (end or "").rstrip("\n"))

    def send(self, command: Any, fields: Any = None, *, at_end: bool = False) -> Any:
        """Send a command through the bus and return its data; raises CommandError when it is refused.

        With `at_end` it is checked now, returns None, and is carried out when the script has ended well, in one
        transaction with all others sent so.
        """
        self._check_running()
        if not isinstance(command, str) or not 0 < len(command) <= 200:
            raise TypeError("send() takes the name of a command and a dictionary of its fields")
        if not isinstance(fields if fields is not None else {}, dict):
            raise TypeError(f"the fields of {command} must be a dictionary")
        if self._sends >= self._limits["sends"]:
            raise RuntimeError(f"a run may send at most {self._limits['sends']} commands (limit sends)")
        try:
            args = Outgoing(self._limits["result_bytes"], self._limits["result_values"]).convert(fields or {}, "fields")
        except TooLargeError as error:
            raise ValueError(f"the fields of {command} take more than {error}") from None
        self._sends += 1
        self._wire.write({"t": "send", "command": str(command), "args": args, "at_end": bool(at_end)})
        answer = self._wire.read()
        if answer["t"] == "refused":
            raise CommandError(answer["code"], answer["message"], answer["errors"])
        return answer["data"]

    def reply(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Set the answer of a synchronous webhook; the last call counts."""
        self._check_running()
        if type(status) is not int or not 200 <= status <= 599:
            raise ValueError("reply() takes a status from 200 to 599, then the body and a dictionary of headers")
        if headers is not None and not isinstance(cast("object", headers), dict):
            raise TypeError(f"reply() {problem_with(headers)}")
        fields = {str(name): str(value) for name, value in (headers or {}).items()}
        problem = problem_with(fields)
        if problem:
            raise ValueError(f"reply() {problem}")
        self._reply = {"status": status, "body": body, "headers": fields}

    def _check_running(self) -> None:
        if self._ended:
            raise RuntimeError("this run has ended")

    def _line(self, text: str) -> None:
        self._check_running()
        if self._lines >= self._limits["log_lines"] or self._log_room <= 0:
            return
        line = text[: self._log_room].encode("utf-8", "replace")[: self._log_room]
        self._lines += 1
        self._log_room -= len(line)
        self._wire.write({"t": "log", "text": line.decode("utf-8", "ignore")})
