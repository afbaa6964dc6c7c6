"""The command line: `bpm serve`, `bpm send`, `bpm requests list`, `bpm apply` and others.

One file a command group. What a command needs is imported when it runs, so that `bpm --help` answers at once.
"""

from bpm.cli import (
    accounts,
    backtest,
    bulk,
    db,
    demo,
    doctor,
    following,
    installation,
    process,
    resending,
    rotation,
    rules,
    sending,
    serving,
    signatures,
    tracing,
    trigger,
    types,
    verb_command,
)
from bpm.cli.files import commands as files
from bpm.cli.mcp.command import mcp
from bpm.cli.surroundings import CommandLine

main = CommandLine(
    name="bpm",
    help="A typed command and query bus with a webhook gateway.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich's own help costs a quarter of a second
    pretty_exceptions_enable=False,
)
main.callback()(serving.about)
main.command()(serving.serve)
main.command()(serving.worker)
main.command()(serving.version)
main.command()(installation.init)
main.command()(installation.settings)
main.command()(doctor.doctor)
main.command("open")(tracing.open_console)
main.command()(sending.send)
main.add_typer(types.app, name="types")
requests = verb_command.verb_group("requests")
requests.command()(following.tail)
requests.command()(resending.resend)
main.add_typer(requests, name="requests")
main.command()(tracing.trace)
main.command()(following.listen)
main.command()(trigger.trigger)
for group in ("dead", "deliveries"):
    main.add_typer(verb_command.verb_group(group), name=group)
main.add_typer(bulk.app, name="bulk")
main.add_typer(rules.app, name="rules")
main.command()(backtest.backtest)
main.add_typer(process.app, name="process")
for group in ("tasks", "keys"):
    main.add_typer(verb_command.verb_group(group), name=group)
main.add_typer(accounts.users, name="users")
main.command()(files.validate)
main.command()(files.diff)
main.command()(files.apply)
main.command()(files.export)
main.add_typer(db.app, name="db")
main.command()(rotation.rotate_key)
main.command()(signatures.sign)
main.command()(signatures.verify)
main.command()(signatures.explain)
main.command()(mcp)
main.command()(demo.demo)
