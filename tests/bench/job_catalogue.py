"""The benchmarks of jobs: both databases, one and two workers, and how soon a job starts."""

from tests.bench import job_runs
from tests.bench.benchmark import Benchmark

JOBS = (
    Benchmark("executed-worker", "executed by a worker beside", job_runs.executed("sqlite-1", 1, postgres=False), 0.4),
    Benchmark("executed-pg", "PostgreSQL: executed, one process", job_runs.executed("pg-0", 0, postgres=True), 0.4),
    Benchmark("executed-pg-1", "PostgreSQL: executed by one worker", job_runs.executed("pg-1", 1, postgres=True), 0.4),
    Benchmark("executed-pg-2", "PostgreSQL: executed by two", job_runs.executed("pg-2", 2, postgres=True), 0.4),
    Benchmark("backlog-pg-1", "PostgreSQL: backlog, one worker", job_runs.worked_off("pg-backlog-1", 1)),
    Benchmark("backlog-pg-2", "PostgreSQL: backlog, two workers", job_runs.worked_off("pg-backlog-2", 2)),
    Benchmark("async-pg", "PostgreSQL: inbound, on disk", job_runs.accepted("pg-async")),
    Benchmark("latency", "one at a time: received to done", job_runs.latency("latency", 0, postgres=False)),
    Benchmark("latency-pg", "PostgreSQL: received to done", job_runs.latency("pg-latency", 1, postgres=True)),
)
"""The milliseconds of the last two are those from a request's receipt to its settled execution."""
