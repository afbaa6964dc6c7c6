"""`bpm requests resend`: a captured request again, edited, to the bus or to a program on this machine."""

import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_data

RequestId = Annotated[str, typer.Argument(metavar="REQUEST_ID", help="The request's id.")]
Edit = Annotated[bool, typer.Option("--edit", help="Change the body in $EDITOR first.")]
BodyFile = Annotated[Path | None, typer.Option("--body", help="A file with another body.")]
Target = Annotated[str | None, typer.Option("--forward-to", help="Send it here, and not through the bus.")]


def resend(
    request_id: RequestId,
    edit: Edit = False,
    body: BodyFile = None,
    forward_to: Target = None,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Send a captured request again, with another body if you like; the bus stores it as a new one that says so."""
    connection = ServerConnection(url, token, username, password)
    captured: dict[str, Any] = connection.send("GetInboundRequestByIdQuery", {"requestId": request_id})
    text = _text_of(body) if body is not None else None
    if edit:
        text = _edited(text if text is not None else captured["body"])
    if forward_to is None:
        fields = {"requestId": request_id, **({} if text is None else {"body": text})}
        print_data(connection.send("ResendInboundRequestCommand", fields), output)
        return
    changed = captured if text is None else {**captured, "body": text, "bodyEncoding": "text"}
    _forward(changed, forward_to, output)


def _forward(request: dict[str, Any], target: str, output: OutputFormat) -> None:
    import asyncio

    from bpm.cli.forwarding import Forwarder, UnsendableRequest

    async def work() -> None:
        async with Forwarder(target) as forwarder:
            (await forwarder.send(request)).print(output)

    try:
        asyncio.run(work())
    except (ConnectionError, UnsendableRequest) as error:
        fail(ExitStatus.ERROR, str(error))


def _edited(text: str) -> str:
    """Return a text as the user's editor leaves it; ends the command when the editor fails."""
    import os
    import shlex

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="bpm-") as folder:
        file = Path(folder) / "body.json"
        file.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*shlex.split(editor), str(file)], check=False)  # noqa: S603 the user's own editor
        except OSError as error:
            fail(ExitStatus.ERROR, f"the editor {editor!r} can't be started: {error.strerror}; set EDITOR")
        if done.returncode != 0:
            fail(ExitStatus.ERROR, f"the editor ended with status {done.returncode}; nothing was sent")
        return file.read_text(encoding="utf-8")


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(ExitStatus.USAGE, f"{file} can't be read: {error}")
