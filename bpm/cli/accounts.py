"""`bpm users`: passwords, one of them without a server."""

from typing import TYPE_CHECKING, Annotated

import typer

from bpm.cli.connection import ServerConnection, Url
from bpm.cli.exits import ExitStatus, fail
from bpm.cli.storage import checked, refuse_missing_file, run
from bpm.cli.terminal import say
from bpm.cli.verb_command import verb_group

if TYPE_CHECKING:
    from bpm.settings import Settings

users = verb_group("users")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
Enable = Annotated[bool, typer.Option("--enable", help="Also let in an account that was disabled.")]


@users.command()
def reset_password(name: Name, enable: Enable = False) -> None:
    """Give a user a new password, shown once, where nobody can sign in who could do it.

    Works on the database itself, so it needs the server's environment (BPM_DATA_DIR or BPM_DATABASE_URL); the server
    may go on. Every sign-in of the user ends within a second.
    """

    async def work(settings: "Settings") -> None:
        from bpm.accounts.password_reset import reset_password as reset
        from bpm.clock import system_clock

        refuse_missing_file(settings)
        database = await checked(settings)
        await database.start()
        try:
            password = await reset(database, name, system_clock, enable=enable)
        finally:
            await database.stop()
        say(password)

    run(work)


@users.command()
def change_password(
    url: Url = None,
    username: Annotated[str | None, typer.Option("--username", envvar="BPM_USERNAME", help="Who you are.")] = None,
) -> None:
    """Change your own password: asks for the one that you have, and for the new one twice.

    Every sign-in of yours ends; API keys go on.
    """
    name = username or _ask("User name")
    current = _ask("Current password", hidden=True)
    new = _ask("New password", hidden=True, again="New password again")
    connection = ServerConnection(url, None, name, current)
    connection.send("ChangeOwnPasswordCommand", {"currentPassword": current, "newPassword": new})
    say("The password is changed; sign in with it")


def _ask(what: str, *, hidden: bool = False, again: str | None = None) -> str:
    """Ask for a line; where nobody can be asked the command ends."""
    try:
        return typer.prompt(what, hide_input=hidden, confirmation_prompt=again or False)
    except typer.Abort as end:
        if isinstance(end.__context__, EOFError):
            fail(ExitStatus.USAGE, f"nobody answers here ({what}); run it in a terminal")
        raise KeyboardInterrupt from None
