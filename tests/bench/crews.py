"""Servers and workers beside each other, on a file or on PostgreSQL."""

import os
import subprocess
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from tests.bench.product import BPM, Product, running_product
from tests.bench.servers import ServerError, stop
from tests.bench.stage import Stage
from tests.postgres import cluster

START_SECONDS = 30
WORKING = "BPM Bus works"


def crew(stage: Stage, name: str, workers: int, *, postgres: bool) -> Product:
    """Start a server with so many workers beside it (0: it does the work itself) until the stage closes."""
    folder = stage.folder / name
    environment = {"BPM_DATABASE_URL": stage.enter_context(cluster()).url} if postgres else {}
    options = ("--no-worker",) if workers else ()
    product = stage.enter_context(running_product(folder, *options, **environment))
    environment = {**os.environ, **environment, "BPM_DATA_DIR": str(folder)}
    pids = [stage.enter_context(_running_worker(folder, number, environment)) for number in range(workers)]
    product.server = replace(product.server, workers=tuple(pids))
    return product


@contextmanager
def _running_worker(folder: Path, number: int, environment: dict[str, str]) -> Generator[int]:
    log = folder / f"worker-{number}.log"
    with log.open("wb") as output, ExitStack() as ending:
        process = subprocess.Popen(
            [BPM, "worker"], env=environment, stdout=output, stderr=output, start_new_session=True
        )
        ending.callback(stop, process)
        deadline = time.monotonic() + START_SECONDS
        while WORKING not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"the worker did not start: {log.read_text(errors='replace')[-600:]}")
            time.sleep(0.05)
        yield process.pid
