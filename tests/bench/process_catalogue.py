"""The benchmarks of processes: the engine alone, other engines where they are installed, and durable instances."""

from tests.bench import process_runs
from tests.bench.benchmark import Benchmark

PROCESSES = (
    Benchmark("process-five", "Process of five elements (25 us)", process_runs.five, against="process-five"),
    Benchmark("process-loop", "Loop of 100 turns (1 ms)", process_runs.loop, against="process-five"),
    Benchmark("process-deploy", "1,000 elements deployed (100 ms)", process_runs.deploying, against="process-five"),
    Benchmark("process-http", "Five elements, durable, HTTP (3,000/s)", process_runs.over_http, against="process-five"),
    *(
        Benchmark(f"process-{name}", f"Five elements by {title}", prepare, against="process-five")
        for name, title, prepare in process_runs.others()
    ),
)
