"""Runs a part of the corpora, to be started as another user: `python -m tests.scripts.corpus_run STEP`."""

import asyncio
import json
import os
import sys

from scripts import Limits, Sandbox
from tests.scripts.corpus import Bus, inputs_of, scripts_of, sections_of, word_for
from tests.scripts.open_sandboxes import OpenSandbox
from tests.scripts.wall.test_wall import ENDS, PRELUDE

LIMITS = Limits(cpu_seconds=0.3, wall_seconds=2, answer_seconds=1)


async def check(step: int) -> list[str]:
    """Run every so many-th hostile script of both layers, and all ordinary ones; return what ended otherwise."""
    wrong: list[str] = []
    async with Sandbox(LIMITS) as sandbox, OpenSandbox(LIMITS) as wall:
        for script in sections_of("hostile.txt")[::step]:
            run = await sandbox.run(script.code, {"payload": {}}, send=Bus().send)
            if (run.failure.reason if run.failure else "ok") not in script.words or "ESCAPED" in f"{run.result}":
                wrong.append(f"{script.name}: {run.failure or run.result}")
        for script in sections_of("hostile_wall.txt")[::step]:
            run = await wall.run(PRELUDE + script.code, {}, send=Bus().send)
            if (run.failure.reason if run.failure else "ok") not in script.words or "ESCAPED" in f"{run.result}":
                wrong.append(f"{script.name}: {run.failure or run.result}")
        for script in scripts_of("hostile_scripts.json", "language")[::step]:
            run = await sandbox.run(script["code"], inputs_of(script), send=Bus().send)
            if (word_for(run) not in script["expect"] and script["expect"] != ["any"]) or "ESCAPED" in f"{run.result}":
                wrong.append(f"{script['name']}: {run.failure or run.result}")
        for script in scripts_of("hostile_scripts.json", "os")[::step]:
            run = await wall.run(script["code"], {"payload": {}}, send=Bus().send)
            reasons = [reason for word in script["expect"] for reason in ENDS[word]]
            if (run.failure.reason if run.failure else None) not in reasons or "ESCAPED" in f"{run.result}":
                wrong.append(f"{script['name']}: {run.failure or run.result}")
        for script in scripts_of("benign_scripts.json"):
            run = await sandbox.run(script["code"], inputs_of(script), send=Bus().send)
            if run.failure is not None:
                wrong.append(f"{script['name']}: {run.failure}")
        print(json.dumps({"user": os.getuid(), "locks": dict(sandbox.locks), "wrong": wrong}))  # noqa: T201
    return wrong


if __name__ == "__main__":
    sys.exit(bool(asyncio.run(check(int(sys.argv[1])))))
