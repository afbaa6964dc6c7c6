"""Accounts at the provider of single sign-on that users sign in with, and every statement about them."""

from datetime import datetime

from sqlalchemy import UniqueConstraint, update
from sqlmodel import Field, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import OrganizationRow, Transaction, UtcDateTime
from bpm.store.session import ScopedSession


class ExternalIdentity(OrganizationRow, table=True):
    """A user's account at a provider: `subject` is its id there, which is never given to anybody else.

    Names and mail addresses are not kept: they change hands (OpenID Connect Core, section 5.7).
    """

    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    issuer: str
    subject: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    created_by: str | None = None


IDENTITIES = ExternalIdentity.table()


def find_identity(tx: Transaction, issuer: str, subject: str) -> ExternalIdentity | None:
    """Return whose account at a provider this is, in whichever organisation."""
    same = (col(ExternalIdentity.issuer) == issuer, col(ExternalIdentity.subject) == subject)
    return tx.session(None).exec(select(ExternalIdentity).where(*same)).first()


def is_of_issuer(tx: Transaction, identity_id: int, issuer: str | None) -> bool:
    """Tell whether an identity is still connected, and one of this provider."""
    own = (IDENTITIES.c.id == identity_id, IDENTITIES.c.issuer == issuer)
    return tx.connection.execute(IDENTITIES.select().where(*own)).first() is not None


def find(session: ScopedSession, identity_id: int) -> ExternalIdentity | None:
    """Return an identity that the database session may see."""
    return session.exec(select(ExternalIdentity).where(col(ExternalIdentity.id) == identity_id)).first()


def select_identities(user_id: int | None) -> SelectOfScalar[ExternalIdentity]:
    """Select identities for a list: a user's, or with None all."""
    statement = select(ExternalIdentity)
    return statement if user_id is None else statement.where(col(ExternalIdentity.user_id) == user_id)


def touch(tx: Transaction, identity_id: int, now: datetime) -> None:
    """Note that somebody signed in with it."""
    tx.connection.execute(update(IDENTITIES).where(IDENTITIES.c.id == identity_id).values(used_at=now))
