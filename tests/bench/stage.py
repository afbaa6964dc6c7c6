"""What a run has started: servers and their folder, closed together at the run's end."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.growth import store
from tests.bench.product import Product, running_product
from tests.bench.servers import Server, running_app

RESULTS = Path(__file__).with_name("results")


class Stage(ExitStack):
    """The run's servers, each started once however many benchmarks use it.

    Data lies beside the results and not in the temporary folder, which may be memory: an fsync must cost
    what it costs on a disk.
    """

    def __init__(self, connections: int) -> None:
        super().__init__()
        self.connections = connections
        RESULTS.mkdir(exist_ok=True)
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="data-", dir=RESULTS)))
        self._products: dict[tuple[int, bool, int], Product] = {}

    def limit(self, module: str) -> Server:
        """Start the program `tests.bench.limits.<module>` under uvicorn."""
        return self.enter_context(running_app(f"tests.bench.limits.{module}:app", self.folder / module))

    def product(self, rules: int = 0, *, worker: bool = True, stored: int = 0) -> Product:
        """The `bpm serve` with so many rules beside those of the benchmarks, and with or without a worker.

        `stored` requests lie in its database before the first one comes.
        """
        kind = (rules, worker, stored)
        if kind not in self._products:
            folder = self.folder / f"bpm-{rules}-{'with' if worker else 'no'}-worker-{stored}"
            options = () if worker else ("--no-worker",)
            self._products[kind] = self.enter_context(running_product(folder, *options))
            self._products[kind].add_idle_rules(rules)
            store(folder, stored)
        return self._products[kind]
