"""What a decision says when it has no answer."""


class DecisionFailed(Exception):
    """A decision gave no answer; the sentence says why."""
