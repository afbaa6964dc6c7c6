"""What happened, for somebody who reads it on a terminal."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bpm.cli.demo.story import Fired, Story
from bpm.client import Reply
from bpm.exact_json import write_json

PIPE_WIDTH = 120
RESULT = 150
"""The longest result that is shown, in characters."""

SENT, ANSWER = 34, 26
"""How wide these columns of the requests may be, so that an id fits into a line of the last."""

EXECUTION_TYPES = ("native command", "command chain", "script", "process")
SHORT: dict[str, Callable[[Any], Any]] = {
    "ExecuteCodeCommand": lambda run: run["result"],
    "ExecuteCommandChainCommand": lambda chain: ", ".join(f"{s['name']} {s['status']}" for s in chain["steps"]),
    "PublishEventCommand": lambda event: {"event": event["event"], "data": event["data"]},
    "StartProcessInstanceCommand": lambda state: _standing(state),
}
"""The part of a result that is worth a line, by message."""

STYLES = {"done": "green", "rejected": "yellow", "quarantined": "yellow", "duplicate": "cyan"}


def print_story(story: Story, base_url: str) -> None:
    """Print the rules, every request with its fate, and what is left behind."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    console.print(_rules(story), _requests(story.fired), _order(story.order), _remains(story.remains), sep="\n")
    console.print(f"Everything here is a command: {base_url}/docs/api", highlight=False)


def print_kept(folder: Path, username: str, password: str) -> None:
    """Print how to serve a folder that was kept, and sign in: its password is written down nowhere."""
    Console().print(
        f"The data is kept. To serve it: BPM_DATA_DIR={folder} bpm serve",
        f"To sign in: {username} and {password}",
        sep="\n",
        highlight=False,
        soft_wrap=True,
    )


def print_access(base_url: str, username: str, password: str) -> None:
    """Print how to look around while the server is up."""
    Console().print(
        "",
        "To look around:",
        f"  export BPM_URL={base_url} BPM_USERNAME={username} BPM_PASSWORD={password}",
        "  bpm send GetInboundRequestListQuery verdict=signature",
        "  bpm send GetEventListQuery pageSize=20",
        "  bpm types",
        f"  {base_url}/docs/api (every command), {base_url}/openapi.json",
        "Ctrl-C stops the server.",
        sep="\n",
        highlight=False,
        soft_wrap=True,
    )


def _rules(story: Story) -> Table:
    table = _table("Rules", "key", "type", "what it does", "address")
    for rule in story.rules:
        number: int = rule["executionType"]
        address = f"{rule['action']} /api/webhooks/{rule['path']}"
        table.add_row(rule["key"], EXECUTION_TYPES[number], Text(rule["description"]), Text(address))
    return table


def _requests(fired: Iterable[Fired]) -> Table:
    table = _table("Requests", "sent to /api/webhooks/", "answer", "what became of it, and its id")
    table.columns[0].max_width, table.columns[1].max_width = SENT, ANSWER
    for one in fired:
        state: str = one.kept["state"]
        sent = Text.assemble(one.shot.path, "\n", (f"{one.shot.sender}: {one.shot.how}", "dim"))
        became = Text.assemble((state, STYLES.get(state, "red")), f": {_fate(one)}\n", (one.kept["requestId"], "dim"))
        table.add_row(sent, Text(f"{one.reply.status} {_sentence(one.reply)}"), became)
    return table


def _order(history: Iterable[dict[str, Any]]) -> Table:
    table = _table("The large order", "when", "element", "what")
    for entry in history:
        if entry["event"] in ("activated", "completed"):
            table.add_row(entry["at"][11:23], entry["elementId"], entry["event"])
    return table


def _remains(remains: dict[str, int]) -> Table:
    table = _table("Left behind", "how many", "of what")
    for what, count in remains.items():
        table.add_row(str(count), what)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_lines=title == "Requests")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _sentence(reply: Reply) -> str:
    return "; ".join(reply.errors) or reply.message


def _fate(one: Fired) -> str:
    kept = one.kept
    if kept["state"] == "done":
        answered = one.reply.data
        went_on = isinstance(answered, dict) and "instanceId" in answered  # a process, after its first rest
        return f"{kept['messageType']} → {_short(kept['messageType'], answered if went_on else kept['result'])}"
    if kept["state"] == "duplicate":
        return f"executed once, as {kept['duplicateOf']}"
    causes = "; ".join(kept["errors"] or ())
    return causes if kept["verdict"] == "passed" else f"{kept['verdict']}: {causes}"


def _short(message_type: str, result: Any) -> str:
    value = SHORT.get(message_type, lambda whole: whole)(result)
    text = value if isinstance(value, str) else write_json(value).decode()
    return text if len(text) <= RESULT else text[: RESULT - 1] + "…"


def _standing(state: dict[str, Any]) -> str:
    tasks = ", ".join(task["name"] or task["elementId"] for task in state["currentTasks"])
    return f"instance {state['instanceId']} {state['status']}" + (f": {tasks}" if tasks else "")
