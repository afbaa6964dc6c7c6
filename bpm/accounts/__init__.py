"""Who may come in: users, service accounts, their tokens and their keys."""

from bpm.accounts.accounts import Accounts
from bpm.accounts.installation import Installation
from bpm.accounts.sessions import TokenPair

__all__ = ["Accounts", "Installation", "TokenPair"]
