"""The benchmarks of scripts: first their limits, a bare fork and plain Python, then the sandbox."""

from tests.bench import script_runs
from tests.bench.benchmark import Benchmark

SCRIPTS = (
    Benchmark("fork-exit", "Bare fork, exit and wait", script_runs.bare_fork, against="fork-exit"),
    Benchmark("script-plain", "The same script in plain Python", script_runs.plain_python, against="script-plain"),
    Benchmark("script-compile", "Script compiled (0.4 ms to reach)", script_runs.compiling, against="fork-exit"),
    Benchmark("script-warm", "Script in a warm spare (0.74 ms)", script_runs.warm, against="fork-exit"),
    Benchmark("script-on-demand", "Script in a new process (3 ms)", script_runs.on_demand, against="fork-exit"),
    Benchmark("script-reused", "Script in a reused process (0.2 ms)", script_runs.reused, against="script-plain"),
    Benchmark("script-send", "Command of a script (20 us)", script_runs.sending, against="script-plain"),
    Benchmark("script-after-kill", "Script after a kill (10 ms)", script_runs.recovering, against="fork-exit"),
    Benchmark("script-after-loss", "Script after a lost zygote (300 ms)", script_runs.replacing, against="fork-exit"),
    Benchmark(
        "script-throughput", "Isolated scripts, two zygotes (500/s)", script_runs.two_sandboxes, against="fork-exit"
    ),
)
