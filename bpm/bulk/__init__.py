"""Bulk jobs: one message for each of many rows, with progress, an end that may come early, and a list."""

from bpm.bulk.jobs import BulkJobs

__all__ = ["BulkJobs"]
