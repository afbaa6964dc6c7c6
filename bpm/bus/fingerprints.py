"""Which failures are the same one: by what was to be done, and by what was said without what differs each time."""

import hashlib
import re

from bpm.exact_json import write_json

MAX_READ = 1_000
"""Number of characters that tell a sentence from others."""
VARYING = re.compile(
    r"(?P<place>\b(?:line|column) \d+)"  # the place in a script stays
    r"|'[^']{0,200}'|\"[^\"]{0,200}\""  # values that are quoted
    r"|\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\b|\b(?=[a-zA-Z]*\d)[0-9a-zA-Z]{16,}\b"  # ids
    r"|\d+(?:[.,:]\d+)*"
)


def normalised(sentence: str) -> str:
    """Return what is the same whenever a failure happens: numbers, ids and quoted values are left out."""
    return VARYING.sub(lambda found: found["place"] or "…", sentence[:MAX_READ])


def fingerprint(*parts: str | int | None) -> str:
    """Return a short name for failures that are alike in all parts."""
    return hashlib.sha256(write_json(parts)).hexdigest()[:16]
