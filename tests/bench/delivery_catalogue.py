"""The benchmarks of deliveries: how many, how late, and beside a receiver that hangs."""

from tests.bench import delivery_runs
from tests.bench.benchmark import Benchmark

DELIVERIES = (
    Benchmark("deliveries", "Deliveries to five receivers (1,500/s)", delivery_runs.throughput),
    Benchmark("deliveries-due", "Lateness, 100,000 waiting (p99 500 ms)", delivery_runs.lateness),
    Benchmark("deliveries-hanging", "One of 100 receivers hangs: the others", delivery_runs.beside_a_hanging_one),
)
"""The milliseconds are those from when a delivery was due until its attempt began, or until it was delivered."""
