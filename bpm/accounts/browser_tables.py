"""Sign-ins of browsers, and every statement about them."""

from datetime import datetime

from sqlalchemy import Index, delete, update
from sqlmodel import Field, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import OrganizationRow, Transaction, UtcDateTime
from bpm.store.session import ScopedSession


class BrowserSession(OrganizationRow, table=True):
    """One browser that is signed in: the SHA-256 of its cookie, and how long it goes on.

    It ends at `ends_at` whatever happens, earlier when it is not used, and at once with `ended_at`. One that was
    opened by single sign-on has the identity that it was opened with, and what no other sign-in has: so none counts
    twice.
    """

    __table_args__ = (Index("ux_browser_session_sign_in_hash", "sign_in_hash", unique=True),)

    id: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    hash: str = Field(unique=True)
    address: str
    user_agent: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    identity_id: int | None = None
    sign_in_hash: str | None = None


TABLE = BrowserSession.table()


def find_by_hash(tx: Transaction, digest: str) -> BrowserSession | None:
    """Return the session of a cookie by its SHA-256, ended or not."""
    return tx.session(None).exec(select(BrowserSession).where(col(BrowserSession.hash) == digest)).first()


def has_signed_in(tx: Transaction, sign_in_hash: str) -> bool:
    """Tell whether a sign-in at a provider has opened a session already."""
    return tx.connection.execute(select(TABLE.c.id).where(TABLE.c.sign_in_hash == sign_in_hash)).first() is not None


def find(session: ScopedSession, session_id: str) -> BrowserSession | None:
    """Return a session that the database session may see."""
    return session.get(BrowserSession, session_id)


def select_sessions(
    user_id: int | None, open_after: datetime | None, used_after: datetime
) -> SelectOfScalar[BrowserSession]:
    """Select sessions for a list: a user's, and those only that are open at a moment; None lets all through."""
    statement = select(BrowserSession)
    if user_id is not None:
        statement = statement.where(col(BrowserSession.user_id) == user_id)
    if open_after is not None:
        statement = statement.where(
            col(BrowserSession.ended_at).is_(None),
            col(BrowserSession.ends_at) > open_after,
            col(BrowserSession.used_at) > used_after,
        )
    return statement


def end_of_user(tx: Transaction, user_id: int, now: datetime) -> None:
    """End every session of a user."""
    open_ = (TABLE.c.user_id == user_id, TABLE.c.ended_at.is_(None))
    tx.connection.execute(update(TABLE).where(*open_).values(ended_at=now))


def end_oldest(tx: Transaction, user_id: int, keep: int, now: datetime) -> None:
    """End a user's sessions but for the `keep` that were used last."""
    newest = select(TABLE.c.id).where(TABLE.c.user_id == user_id, TABLE.c.ended_at.is_(None))
    kept = newest.order_by(TABLE.c.used_at.desc()).limit(keep)
    others = (TABLE.c.user_id == user_id, TABLE.c.ended_at.is_(None), TABLE.c.id.not_in(kept))
    tx.connection.execute(update(TABLE).where(*others).values(ended_at=now))


def touch(tx: Transaction, session_id: str, now: datetime) -> None:
    """Note that a session was used."""
    tx.connection.execute(update(TABLE).where(TABLE.c.id == session_id).values(used_at=now))


def prune(tx: Transaction, before: datetime) -> None:
    """Delete what had to end before a moment."""
    tx.connection.execute(delete(TABLE).where(TABLE.c.ends_at < before))
