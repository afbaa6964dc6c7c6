"""The source of a process or a decision as somebody may see it."""

from bpm.bus import Context
from bpm.process.sealing import restored_source
from bpm.security.redaction import redacted_xml


def shown_source(stored: str, context: Context) -> str:
    """Return a stored file; secrets in it only to those who may deploy."""
    source = restored_source(stored, context.box)
    return source if context.principal.allows("processes:write") else redacted_xml(source)
