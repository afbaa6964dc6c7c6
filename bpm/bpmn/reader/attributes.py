"""The attributes that are BPMN's own."""

from collections.abc import Mapping

from bpm.model_files.xml import Tag

BOOLEANS = frozenset({
    "isForCompensation", "cancelActivity", "isInterrupting", "triggeredByEvent", "instantiate", "isSequential",
    "testBefore", "parallelMultiple", "cancelRemainingInstances", "waitForCompletion",
})  # fmt: skip
TRUTHS = frozenset({"true", "false", "1", "0"})
"""How XML writes what is true or false."""


def own_attributes(tag: Tag) -> Mapping[str, str]:
    """BPMN's own attributes; those that are true or false by these words, though XML knows 1 and 0 as well."""
    return {key: _value(key, value) for key, value in tag.attributes.items() if key[0] != "{"}


def _value(key: str, value: str) -> str:
    return {"1": "true", "0": "false"}.get(value, value) if key in BOOLEANS else value
