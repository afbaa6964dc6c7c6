"""`bpm trace` and `bpm open`: all that one request, message, event or instance has caused, and the console."""

from typing import Annotated

import typer

from bpm.cli.connection import Password, ServerConnection, Token, Url, Username, server_url
from bpm.cli.output import FormatOption, OutputFormat, print_data
from bpm.cli.terminal import say

AnyId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a request, message, event, delivery, run or instance.")
]
Quiet = Annotated[bool, typer.Option("--print", help="Only print the address.")]


def trace(
    id_: AnyId,
    url: Url = None,
    token: Token = None,
    username: Username = None,
    password: Password = None,
    output: FormatOption = OutputFormat.AUTO,
) -> None:
    """Show everything that belongs to one id, from the bytes of a request to its last effect."""
    connection = ServerConnection(url, token, username, password)
    print_data(connection.send("GetTraceQuery", {"id": id_}), output)


def open_console(url: Url = None, quiet: Quiet = False) -> None:
    """Open the console in the browser."""
    import webbrowser

    address = f"{server_url(url).rstrip('/')}/console/"
    say(address)
    if not quiet:
        webbrowser.open(address)
