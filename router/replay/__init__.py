"""Driving captured requests again: what was executed as the rule is now, what was refused after a new verdict."""

from router.replay.judgement import Judge
from router.replay.replays import DISCARDED, Replayed, Replays

__all__ = ["DISCARDED", "Judge", "Replayed", "Replays"]
