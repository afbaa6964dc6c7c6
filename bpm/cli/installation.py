"""`bpm settings` and `bpm init`: what holds for the server, and the files to begin with."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.output import FormatOption, OutputFormat, print_json, print_table
from bpm.cli.terminal import say

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

SETTINGS_FILE = "bpm.env"
TEMPLATE = Path(__file__).parent / "files" / "template"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to.")]
Template = Annotated[bool, typer.Option("--template", help="Rules, a process, tests and a workflow as files instead.")]


def settings(output: FormatOption = OutputFormat.AUTO) -> None:
    """Print every setting, what it is, and where that came from; secrets are hidden."""
    import os

    from bpm.app.settings import load_settings
    from bpm.errors import Misconfigured
    from commands.system.settings import present_settings

    try:
        read = load_settings()
    except Misconfigured as wrong:
        fail(ExitStatus.ERROR, "the settings are wrong", *wrong.errors)
    rows = list(present_settings(read, os.environ))
    if output.is_text:
        print_table(("setting", "value", "from"), [(row.name, row.value, row.origin) for row in rows])
        return
    for row in rows:
        print_json({"name": row.name, "value": row.value, "from": row.origin})


def init(folder: Folder = Path(), template: Template = False) -> None:
    """Write a file of all settings, each with its meaning, to be filled in (bpm.env); with --template rules as files.

    The file's lines are those of an `EnvironmentFile` of systemd or of `docker run --env-file`; a shell reads it with
    `set -a; . ./bpm.env; set +a`.
    """
    if template:
        _copy_template(folder)
        return
    from bpm.app.settings import settings_type

    file = folder / SETTINGS_FILE
    _write(file, "\n".join(_lines_of_file(settings_type())) + "\n")
    say(f"{file}: take away the # before what you set")


def _lines_of_file(kind: Any) -> Iterator[str]:
    from bpm.settings import variables

    yield "# Settings of BPM Bus. What is commented out holds as it stands here; docs/reference/settings.md says more."
    group = None
    for name, field in variables(kind):
        head = name.partition("__")[0] if "__" in name else None
        if head != group and head is not None:
            about = kind.model_fields[head.removeprefix("BPM_").lower()].annotation.__doc__
            yield from ("", f"# --- {_first_line(about)}")
        group = head
        yield from ("", f"# {_first_line(field.description)}", f"#{name}={_default(field)}")


def _first_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _default(field: "FieldInfo") -> str:
    value = field.default
    if value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _copy_template(folder: Path) -> None:
    import shutil

    if folder.exists() and any(folder.iterdir()):
        fail(ExitStatus.ERROR, f"{folder} is not empty; name a folder that is")
    try:
        shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        fail(ExitStatus.ERROR, f"{folder} can't be written: {error}")
    say(f"{folder}: read its README.md, then run `bpm rules test {folder}`")


def _write(file: Path, text: str) -> None:
    """Write a file that only its owner may read, which secrets will stand in; refuses to replace one."""
    import os

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        fail(ExitStatus.ERROR, f"{file} is there already; remove it first, or name another folder")
    except OSError as error:
        fail(ExitStatus.ERROR, f"{file} can't be written: {error.strerror}")
    with os.fdopen(opened, "w", encoding="utf-8") as stream:
        stream.write(text)
