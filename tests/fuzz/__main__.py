"""`make fuzz`: give made-up input to everything that reads foreign bytes, for some seconds each.

    python -m tests.fuzz --seconds 60 --target heads

A target is a file in `tests/fuzz/targets` with a function `fuzz(data)`. What it raises is shrunk and printed; make a
test of it.
"""

import argparse
import pkgutil
import random
import time
from collections.abc import Callable
from importlib import import_module

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import targets

ROUND = 200


def main() -> None:
    """Run one target, or all."""
    names = sorted(module.name for module in pkgutil.iter_modules(targets.__path__))
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=60, help="how long each target runs")
    parser.add_argument("--target", choices=["", *names], default="", help="the only one to run")
    wanted = parser.parse_args()
    for name in [wanted.target] if wanted.target else names:
        fuzz = import_module(f"{targets.__name__}.{name}").fuzz
        print(f"{name}: {run(fuzz, wanted.seconds)} inputs, no finding", flush=True)


CHECKS = [HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.large_base_example]
"""What hypothesis would complain about, which is no finding here."""


def run(fuzz: Callable[[st.DataObject], None], seconds: float) -> int:
    """Run a target until the time is over; return how many inputs it had."""
    tried = 0
    deadline = time.monotonic() + seconds

    @settings(max_examples=ROUND, deadline=None, database=None, suppress_health_check=CHECKS)
    @given(st.data())
    def once(data: st.DataObject) -> None:
        nonlocal tried
        tried += 1
        fuzz(data)

    while time.monotonic() < deadline:
        seed(random.getrandbits(64))(once)()
    return tried


if __name__ == "__main__":
    main()
