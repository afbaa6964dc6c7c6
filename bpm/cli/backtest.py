"""`bpm backtest`: what a webhook configuration would do with the requests captured so far."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, send_message
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.fields import read_fields
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_table
from bpm.cli.progress import wait_for_end
from bpm.cli.terminal import say

if TYPE_CHECKING:
    from bpm.client import BusClient

Key = Annotated[str, typer.Argument(help="The key of the configuration.")]
Draft = Annotated[
    Path | None, typer.Option("--draft", "-f", help="A JSON file with the fields as they would be; `-` reads them.")
]
Count = Annotated[int, typer.Option(min=1, max=100_000, help="How many requests, the newest.")]
Since = Annotated[str | None, typer.Option(help="Only requests received since, as in 2026-01-31T09:30:00Z.")]
States = Annotated[list[str] | None, typer.Option("--state", help="Only requests in this state; may be repeated.")]
At = Annotated[str | None, typer.Option("--path", help="Only requests at this path; it may end in *.")]
Scripts = Annotated[bool, typer.Option("--run-scripts", help="Run a script for each request, and undo it.")]
Shown = Annotated[int, typer.Option("--limit", min=0, max=200, help="How many changed requests to show.")]


def backtest(
    key: Key,
    draft: Draft = None,
    count: Count = 100,
    since: Since = None,
    state: States = None,
    path: At = None,
    run_scripts: Scripts = False,
    limit: Shown = 20,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Compare what was done with captured requests with what a configuration, or a draft of it, would do.

    The exit status is 3 when anything would change.
    """
    fields: dict[str, Any] = {"count": count, "states": state or [], "runScripts": run_scripts, "limit": limit}
    fields |= {name: value for name, value in (("since", since), ("path", path)) if value is not None}
    if draft is not None:
        fields["config"] = read_fields("BackTestWebHookConfigCommand", [], draft)
    found = ServerConnection(url, token, username, password).run(lambda client: _run(client, key, fields, output))
    if output.is_text:
        _print(found)
    else:
        print_json(found)
    if found["state"] == "failed":
        fail(ExitStatus.ERROR, str(found["error"]))
    if found["changedCount"]:
        raise typer.Exit(ExitStatus.DIFFERENCE)


async def _run(client: "BusClient", key: str, fields: dict[str, Any], output: OutputFormat) -> Any:
    config = await send_message(client, "LookupWebHookByKeyCommand", {"key": key})
    found = await send_message(client, "BackTestWebHookConfigCommand", {"id": config["id"], **fields})
    if found["backTestId"] is None:
        return found
    asked = {"backTestId": found["backTestId"], "limit": fields["limit"]}
    return await wait_for_end(
        lambda: send_message(client, "GetBackTestQuery", asked),
        lambda report: report["compared"],
        ("done", "failed"),
        "comparing",
        shows=output.is_text,
    )


def _print(found: Any) -> None:
    counts = ", ".join(f"{count} {change}" for change, count in found["counts"].items() if count)
    say(f"{found['compared']} requests: {counts or 'none to compare'}")
    for sentence in found["problems"]:
        say(f"  - {sentence}")
    rows = [
        [each["receivedAt"], each["requestId"], each["change"], _sentence(each["then"]), _sentence(each["now"])]
        for each in found["changed"]
    ]
    if rows:
        print_table(("received", "request", "change", "then", "now"), rows)


def _sentence(fate: Any) -> str:
    return fate["error"] or (fate["messageType"] if fate["verdict"] == "passed" else fate["verdict"]) or "passed"
