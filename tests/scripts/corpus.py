"""The two corpora of scripts: ordinary ones that must work, hostile ones that must be stopped."""

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from scripts import CommandRefused, Run

DATA = Path(__file__).parent / "data"

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)

WORDS = {"syntax": "rejected", "forbidden": "rejected", "crashed": "crash", "output": "error"}
"""The corpus's word for a reason of ours, where it differs."""


def scripts_of(name: str, layer: str | None = None) -> list[Any]:
    """Return the scripts of a corpus, of one layer if asked for."""
    return [script for script in json.loads((DATA / name).read_text())["scripts"] if script.get("layer") == layer]


def inputs_of(script: dict[str, Any]) -> dict[str, Any]:
    """Return what a script of a corpus is given."""
    return {name: script[name] for name in ("payload", "headers", "query") if name in script}


def word_for(run: Run) -> str:
    """Return the corpus's word for how a run ended."""
    if run.failure is None:
        return "ok"
    return WORDS.get(run.failure.reason, run.failure.reason)


class Bus:
    """Answers commands as the corpora expect, and remembers them."""

    def __init__(self) -> None:
        self.sent: list[list[Any]] = []

    async def send(self, command: str, fields: dict[str, Any]) -> Any:
        """Answer one command."""
        self.sent.append([command, fields])
        if command == "DeleteEverything":
            raise CommandRefused("forbidden", "The rule may not do that.")
        if command == "ReserveStock" and fields.get("sku") == "B-7":
            raise CommandRefused("out_of_stock", "There is none left.", ["sku: B-7"])
        if command == "NeverAnswers":
            await asyncio.Event().wait()
        return {"principal": "rule"} if command == "WhoAmI" else {"id": "inv_1"}


class Section(NamedTuple):
    """A script of a text file of scripts, and the words that stand behind `->` in its heading."""

    name: str
    words: list[str]
    code: str


def sections_of(name: str) -> list[Section]:
    """Return the scripts of a text file: each begins with a line `### name` or `### name -> word word`."""
    _, *parts = re.split(r"^### (.+)\n", (DATA / name).read_text(), flags=re.MULTILINE)
    headings = [heading.partition(" -> ") for heading in parts[::2]]
    return [Section(title, words.split(), code) for (title, _, words), code in zip(headings, parts[1::2], strict=True)]
