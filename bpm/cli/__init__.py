"""The command line: `bpm serve`, `bpm send`, `bpm backtest`, `bpm sign`, `bpm demo` and others.

One file a command group. What a command needs is imported when it runs, so that `bpm --help` answers at once.
"""

import typer

from bpm.cli import backtest, db, demo, installation, process, rules, sending, serving, signatures, trigger, types
from bpm.cli.files import commands as files

main = typer.Typer(
    name="bpm",
    help="A typed command and query bus with a webhook gateway.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich's own help costs a quarter of a second
    pretty_exceptions_enable=False,
)
main.command()(serving.serve)
main.command()(serving.worker)
main.command()(serving.version)
main.command()(installation.init)
main.command()(installation.settings)
main.command()(sending.send)
main.command()(backtest.backtest)
main.add_typer(types.app, name="types")
main.add_typer(db.app, name="db")
main.add_typer(process.app, name="process")
main.add_typer(rules.app, name="rules")
main.command()(files.validate)
main.command()(files.diff)
main.command()(files.apply)
main.command()(files.export)
main.command()(trigger.trigger)
main.command()(signatures.sign)
main.command()(signatures.verify)
main.command()(signatures.explain)
main.command()(demo.demo)
