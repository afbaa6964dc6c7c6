"""Two definitions of a rule compared line by line, however long they are."""

import json
from pathlib import Path
from typing import Any

from bpm.web.console import build_hook

RUN = """
import { build } from "esbuild"
import { readFileSync, writeFileSync } from "node:fs"
const [path] = process.argv.slice(1)
const bundled = await build({ entryPoints: ["src/screens/rule/changes.ts"], bundle: true, write: false, format: "esm" })
const module = await import("data:text/javascript," + encodeURIComponent(bundled.outputFiles[0].text))
const pairs = JSON.parse(readFileSync(path, "utf8"))
const { changesBetween, inSight } = module
const compared = ([before, after]) => inSight(changesBetween(before, after)).map(({ kind, text }) => [kind, text])
writeFileSync(path, JSON.stringify(pairs.map(compared)))
"""
"""What the module does, outside of a browser."""
SCRIPT = [f"line {number}" for number in range(10_000)]


def compared(tmp_path: Path, *pairs: tuple[list[str], list[str]]) -> list[Any]:
    """Return the lines that are shown of each pair."""
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps(pairs))
    build_hook.node("--input-type=module", "--eval", RUN, str(path))
    return json.loads(path.read_text())


def test_a_change_far_down_is_found(built: None, tmp_path: Path) -> None:
    """With what stands beside it; all that is as it was is counted."""
    changed = [*SCRIPT[:5000], "another line", *SCRIPT[5001:]]
    (found,) = compared(tmp_path, (SCRIPT, changed))
    assert found == [
        ["left out", "4,997 lines as they were"],
        *[["same", f"line {number}"] for number in (4997, 4998, 4999)],
        ["gone", "line 5000"],
        ["new", "another line"],
        *[["same", f"line {number}"] for number in (5001, 5002, 5003)],
        ["left out", "4,996 lines as they were"],
    ]


def test_any_two_texts_are_compared(built: None, tmp_path: Path) -> None:
    """Lines that come, go and stay; nothing at all; and everything, which is not looked through for what is common."""
    others = [f"other {number}" for number in range(10_000)]
    pairs = (["a", "b", "c", "d"], ["a", "c", "x", "d"]), (["a"], ["a"]), (SCRIPT, others)
    few, none, all_new = compared(tmp_path, *pairs)
    assert few == [["same", "a"], ["gone", "b"], ["same", "c"], ["new", "x"], ["same", "d"]]
    assert [kind for kind, _ in none] == ["same"]
    assert [kind for kind, _ in all_new] == ["gone"] * 10_000 + ["new"] * 10_000
