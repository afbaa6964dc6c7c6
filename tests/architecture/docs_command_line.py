"""What the page of the command line says, made from the commands of `bpm` themselves."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from bpm.cli import main

ABOUT = """\
`bpm` prints tables on a terminal and JSON lines in a pipe, unless `--format` says otherwise. What speaks to a server
finds it by `--url` or `BPM_URL`, and signs in by `--token` or `BPM_TOKEN`, or by a name and its password
(`BPM_USERNAME`, `BPM_PASSWORD`). The option `--install-completion` teaches the shell the words.

Exit statuses: 0 done, 1 an error, or nobody reads the output any more, 2 wrong usage, 3 a difference was found,
4 refused by the server, 75 too little memory or too few threads for a server to start, 130 interrupted; what goes on
until it is ended, such as `bpm requests tail`, ends with 0.

Any message without a command of its own is sent by `bpm send`; most commands of the groups `requests`, `dead`,
`deliveries`, `bulk`, `rules`, `tasks`, `keys` and `users` send one of the [messages](messages.md). How folders of rules
are kept: [Keep rules as files](../how-to/keep-rules-as-files.md)."""

OF_CONNECTIONS = frozenset({"url", "token", "username", "password", "output", "help"})
"""Options that many commands have, told once at the top of the page."""


def command_line_sections() -> Iterator[str]:
    """Yield what goes for all commands, and a section for each."""
    yield from (_in_one_line(part) for part in ABOUT.split("\n\n"))
    for path, command in _commands("bpm", get_command(main)):
        yield f"## {path}"
        yield from (_in_one_line(part) for part in inspect.cleandoc(command.help or "").split("\n\n"))
        rows = [_row(each) for each in command.params if each.name not in OF_CONNECTIONS and not each.hidden]
        if rows:
            yield "\n".join(["| argument or option | meaning |", "| --- | --- |", *rows])


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with the words that call it."""
    inner: dict[str, Any] | None = getattr(command, "commands", None)
    if inner is None or (path != "bpm" and command.invoke_without_command):
        yield path, command
    for name, each in (inner or {}).items():
        yield from _commands(f"{path} {name}", each)


def _row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    names = [*parameter.opts, *parameter.secondary_opts] if is_option else [parameter.metavar or parameter.name.upper()]
    meaning = _in_one_line(parameter.help or "").replace("|", "\\|")
    return f"| `{', '.join(names)}` | {meaning} |"


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
