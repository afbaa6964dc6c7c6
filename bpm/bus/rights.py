"""The bus asks whoever knows the accounts what a principal may do at the moment."""

from typing import Protocol

from bpm.security.permissions import Permission, Principal
from bpm.store import Transaction


class Rights(Protocol):
    """Knows what accounts may do now; see `bpm.accounts.rights`."""

    async def present(self, principal: Principal) -> Principal:
        """Return the principal with what it may do now.

        Raises `Forbidden` when an account that it acts for is disabled, gone, or of an organisation that is
        switched off, or when a key was revoked or has expired.
        """
        ...

    def present_in(self, tx: Transaction, principal: Principal) -> Principal:
        """Do the same inside a transaction."""
        ...

    def who_lacks(self, principal: Principal, permission: Permission, tx: Transaction | None = None) -> str:
        """Say which of the accounts that a principal acts for lack a permission; empty when that is plain."""
        ...


class FixedRights:
    """For a bus without accounts, as in tests: principals may do what they say."""

    async def present(self, principal: Principal) -> Principal:
        """Return the principal as it is."""
        return principal

    def present_in(self, tx: Transaction, principal: Principal) -> Principal:
        """Return the principal as it is."""
        return principal

    def who_lacks(self, principal: Principal, permission: Permission, tx: Transaction | None = None) -> str:
        """Return an empty text: without accounts there is nobody to name."""
        return ""
