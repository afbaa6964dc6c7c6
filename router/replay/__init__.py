"""Driving captured requests again: what was executed as the rule is now, what was refused after a new verdict."""

from router.replay.judgement import Judge
from router.replay.replayed_as import ReplayedAs, ReplayedRules, rule_row
from router.replay.replays import DISCARDED, Replayed, Replays
from router.replay.resends import Edit, Resends

__all__ = ["DISCARDED", "Edit", "Judge", "Replayed", "ReplayedAs", "ReplayedRules", "Replays", "Resends", "rule_row"]
