"""Recorded runs of scripts go when they are old."""

from bpm.store.retention import Policy
from commands.code.tables import RUNS

POLICIES = (Policy("runs of scripts", "results_days", table=RUNS, key=RUNS.c.id, moment=RUNS.c.created_at),)
