"""`bpm rules`: webhook configurations, and the tests of a folder of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.terminal import say
from bpm.cli.verb_command import add_verbs

if TYPE_CHECKING:
    from bpm.bus import Registry
    from bpm.cli.files.cases import PlacedCase
    from bpm.cli.files.folder import Folder

app = add_verbs(
    typer.Typer(help="Webhook configurations (rules).", no_args_is_help=True, rich_markup_mode=None), "rules"
)

FolderPath = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the files.")]


@app.command()
def test(folder: FolderPath) -> None:
    """Run the tests of a folder (tests/*.yaml), without a server; the exit status is 1 when one fails."""
    import asyncio

    from bpm.cli.files.cases import read_cases
    from bpm.cli.files.check import check_folder
    from bpm.cli.files.folder import FolderError, read_folder
    from bpm.cli.registry import offline_registry

    registry = offline_registry()
    try:
        read, cases = read_folder(folder), read_cases(folder)
    except FolderError as error:
        fail(ExitStatus.ERROR, f"{folder} can't be read", *error.sentences)
    problems = check_folder(read, registry)
    if problems:
        fail(ExitStatus.ERROR, f"{folder} can't be tested", *problems)
    if not cases:
        fail(ExitStatus.ERROR, f"{folder} has no tests; write them to {folder / 'tests'}")
    failed = asyncio.run(_run(read, registry, cases))
    say(f"{len(cases) - failed} passed, {failed} failed")
    if failed:
        raise typer.Exit(ExitStatus.ERROR)


async def _run(folder: "Folder", registry: "Registry", cases: "list[PlacedCase]") -> int:
    """Run the tests, print each, and return how many failed."""
    from bpm.cli.files.trying import Bench

    failed = 0
    async with Bench(folder, registry) as bench:
        for case in cases:
            problems = await bench.problems(case)
            failed += bool(problems)
            say(f"{'failed' if problems else 'passed'}  {case.place}")
            for problem in problems:
                say(f"    {problem}")
    return failed
