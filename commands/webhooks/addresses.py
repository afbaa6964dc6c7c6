"""What must be true of a configuration's address: it is the organisation's to take, and one rule takes each request."""

import re

from bpm.bus import Context
from bpm.security.permissions import INSTALLATION
from commands.webhooks.checks import KEY_TAKEN, Findings
from router.config import WebHookFields
from router.paths import overlaps, shape
from router.tables import addresses, configs
from router.tables.addresses import ConfigAtAddress

ADDRESS_TAKEN = "path: this address is taken or overlaps one that is; choose another"
FOREIGN_PARAMETER = re.compile(r":[A-Za-z_]\w*|\*{1,2}|\$[A-Za-z_]\w*")
"""How other programs write a segment that varies; here it is an address that nobody calls."""
MOST_AT_ADDRESS = 50
"""How many configurations may have one path."""


def check_address(fields: WebHookFields, findings: Findings, context: Context, own_id: int | None = None) -> None:
    """Check that the address is the organisation's to take.

    A literal segment beats a parameter, and a path beats a key. Within an organisation configurations for one method
    and one shape of path are told apart by their order. What overlaps another organisation's address, for whichever
    method, is taken, and whose it is nobody is told.
    """
    findings.warnings.extend(
        f"path: {segment} stands for itself, and for no other text; write {{name}} for a part that varies"
        for segment in fields.path.split("/")
        if FOREIGN_PARAMETER.fullmatch(segment)
    )
    wanted = shape(fields.path)
    if wanted.startswith("{}") and context.organization_id != INSTALLATION:
        findings.invalid.append("path: must begin with a literal segment; a parameter there would answer for everybody")
        return
    beside = [each for each in addresses.configs_at(context.tx, context.organization_id, wanted) if each.id != own_id]
    _check_beside(fields, beside, findings)
    others = addresses.foreign_configs_near(context.tx, context.organization_id, wanted)
    if any(overlaps(wanted, other.shape) or overlaps(wanted, other.key) for other in others):
        findings.conflicts.append(ADDRESS_TAKEN)


def _check_beside(fields: WebHookFields, beside: list[ConfigAtAddress], findings: Findings) -> None:
    """Check that of the configurations at the address each has its turn, and tell which ones there are."""
    if len(beside) >= MOST_AT_ADDRESS:
        findings.conflicts.append(f"path: {MOST_AT_ADDRESS} configurations have this path already, which is the most")
        return
    methods = {fields.action, *fields.more_methods}
    sharing = [other for other in beside if methods & other.methods]
    for other in sharing:
        if other.order == fields.order:
            findings.conflicts.append(_conflict_with(other, fields, ", ".join(sorted(methods & other.methods))))
    if sharing:
        findings.warnings.append(f"path: {', '.join(map(_name_and_order, sharing))} answer this address, too")
    is_signed = fields.signature is not None
    unlike = [other.key for other in sharing if (other.definition.get("signature") is not None) != is_signed]
    if unlike:
        findings.warnings.append(
            f"signature: {', '.join(unlike)} at this address and this configuration are not both signed; a sender "
            "can choose by the content of its request which of them checks it"
        )


def _conflict_with(other: ConfigAtAddress, fields: WebHookFields, methods: str) -> str:
    if fields.order is not None:
        return f"order: {fields.order} of {methods} {fields.path} is that of the configuration {other.key!r}"
    return f"path: {methods} {fields.path} is answered by the configuration {other.key!r} already"


def _name_and_order(other: ConfigAtAddress) -> str:
    return f"{other.key!r} ({'without a condition' if other.order is None else f'order {other.order}'})"


def check_key(key: str, findings: Findings, context: Context) -> None:
    """Check that the key is free, as a key and as an address that another organisation's configurations answer."""
    if configs.config_with_key(context.tx, None, key) is not None:
        findings.conflicts.append(KEY_TAKEN)
    elif addresses.foreign_configs_near(context.tx, context.organization_id, key):
        findings.conflicts.append(f"key: /api/webhooks/{key} is taken or overlaps an address that is; choose another")
