"""Answers to queries as they change, as server-sent events."""

from bpm.web.feed.endpoint import PATH, FeedEndpoint
from bpm.web.feed.limit import FeedLimit

__all__ = ["PATH", "FeedEndpoint", "FeedLimit"]
