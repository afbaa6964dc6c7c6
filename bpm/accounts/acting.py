"""Acting for another organisation: what the installation's own accounts may, and nobody else."""

from dataclasses import replace

from bpm.errors import Forbidden, NotFound
from bpm.security.permissions import ACT, INSTALLATION, Principal
from bpm.store import Transaction, organizations


def acting_for(tx: Transaction, principal: Principal, organization_id: int) -> Principal:
    """Return a principal as it acts for an organisation: with its own permissions, on that one's rows.

    Raises `Forbidden` for whoever belongs to another organisation, whether the one asked for exists or not, and
    `NotFound` when the installation asks for one that does not.
    """
    if organization_id == principal.organization_id:
        return principal
    if principal.organization_id != INSTALLATION:
        raise Forbidden("you act for your own organisation alone; only accounts of the installation act for others")
    if not principal.allows(ACT):
        raise Forbidden(f"to act for another organisation needs the permission {ACT}")
    if organizations.organization(tx, organization_id) is None:
        raise NotFound(f"there is no organisation {organization_id}")
    return replace(principal, organization_id=organization_id)
