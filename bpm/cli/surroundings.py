"""What a shell gives a command, and what it takes from it: words, streams, and how it ends for what is wrong there."""

import codecs
import errno
import os
import sys
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from typing import Any, NoReturn, cast

import typer

from bpm.cli.exits import ExitStatus, fail
from bpm.cli.terminal import forget_output

AS_JSON = "bpm-as-json"
"""The name under which Python knows `_written_as_json`."""
STREAMS = ("stdin", "stdout", "stderr")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""How the system says that what the output goes to takes no more."""


class CommandLine(typer.Typer):
    """The commands, as a process of their own: with streams that are there, in sentences rather than traces."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command that the words name, and end the process."""
        _open_missing_streams()
        _write_every_character()
        try:
            _refuse_broken_texts(sys.argv[1:], os.environ)
            return super().__call__(*args, **kwargs)
        except OSError as error:
            _end(error)
        except typer.Exit as end:
            sys.exit(end.exit_code)
        finally:
            _flush()


def _open_missing_streams() -> None:
    """Put nothing in the place of a stream that was closed: a file opened later would stand there."""
    for number, name in enumerate(STREAMS):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDONLY if name == "stdin" else os.O_WRONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))


def _write_every_character() -> None:
    """Let output hold what its encoding does not: as JSON writes it, or in UTF-8 where that would be nearly all."""
    codecs.register_error(AS_JSON, _written_as_json)
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, TextIOWrapper):
            continue
        if codecs.lookup(stream.encoding).name == "ascii":
            stream.reconfigure(encoding="utf-8")
        stream.reconfigure(errors=AS_JSON)


def _written_as_json(error: UnicodeError) -> tuple[str, int]:
    """Write characters that an encoding lacks as JSON would, so that JSON stays the same value."""
    refused = cast("UnicodeEncodeError", error)
    units = refused.object[refused.start : refused.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), refused.end


def _refuse_broken_texts(words: Iterable[str], environment: Mapping[str, str]) -> None:
    """End the command for a word or setting whose bytes are no text in the shell's encoding: it could not be sent."""
    settings = (name for name, value in environment.items() if name.startswith("BPM_") and _is_broken(value))
    for broken in (*filter(_is_broken, words), *settings):
        told = os.fsencode(broken).decode("utf-8", "backslashreplace")
        fail(
            ExitStatus.USAGE,
            f"{told} is not written in this shell's encoding ({sys.getfilesystemencoding()})",
            "write it in UTF-8, and set LC_ALL=C.UTF-8",
        )


def _is_broken(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _flush() -> None:
    """Write what is left of the output, or let it go: the process would end with a status of Python's own."""
    try:
        sys.stdout.flush()
    except OSError:
        forget_output()


def _end(error: OSError) -> NoReturn:
    """Say what could not be read or written, and end."""
    about = error.filename or ("the output can't be written" if error.errno in FULL else "bpm can't go on")
    sys.stderr.write(f"bpm: {about}: {error.strerror or error}\n")
    sys.exit(ExitStatus.ERROR)
