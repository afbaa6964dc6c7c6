"""Answers to queries as they change, as server-sent events."""

from bpm.web.feed.endpoint import PATH, FeedEndpoint
from bpm.web.feed.seats import FeedSeats

__all__ = ["PATH", "FeedEndpoint", "FeedSeats"]
