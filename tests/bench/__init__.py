"""Benchmarks: what a server of ours does a second, beside the limits of the same machine in the same run."""
