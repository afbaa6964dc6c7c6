"""Users, refresh tokens and API keys, and every statement about them."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Index, delete, func, literal, or_, text, update
from sqlmodel import Field, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bpm.accounts import browser_tables
from bpm.bus.tables import AuditEntry
from bpm.store import ForeignText, JsonColumn, OrganizationRow, Row, Transaction, UtcDateTime
from bpm.store.lookup import Lookup
from bpm.store.named_lock import take_named_lock
from bpm.store.records import Records
from bpm.store.row_lock import first_to_change
from bpm.store.session import ScopedSession


class User(OrganizationRow, table=True):
    """A person, or a service account (`kind` is `user` or `service`); a service account has no password.

    Raising `token_version` ends every access token issued before. `created_by` is the principal's id of its maker.
    """

    __table_args__ = (Index("ux_user_username", text("lower(username)"), unique=True),)

    id: int = Field(default=None, primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    username: str
    kind: str = "user"
    password_hash: str | None = None
    roles: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    permissions: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    token_version: int = 0
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    created_by: str | None = Field(default=None, index=True)

    @property
    def is_enabled(self) -> bool:
        """Whether this account may do anything at all."""
        return self.disabled_at is None


class RefreshToken(OrganizationRow, table=True):
    """One refresh token, by its SHA-256; all that follow from one sign-in are a `family`."""

    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    hash: str = Field(unique=True)
    family: str = Field(index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class ApiKey(OrganizationRow, table=True):
    """One API key: the public part is its id, of the secret part only the SHA-256 is kept.

    `created_by` is the principal's id of its maker; the key ends when one of the keys `ends_with` does: the key that
    made it, and those that made that one.
    """

    id: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    name: str
    hash: str
    scopes: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    created_by: str | None = Field(default=None, index=True)
    ends_with: list[str] | None = Field(default=None, sa_type=JsonColumn, nullable=True)


class UserRow(NamedTuple):
    """An account as its rights are asked for; see `User`."""

    id: int
    organization_id: int
    username: str
    roles: list[str]
    permissions: list[str]
    disabled_at: datetime | None


class KeyRow(NamedTuple):
    """An API key as its rights are asked for; see `ApiKey`."""

    id: str
    organization_id: int
    user_id: int
    name: str
    scopes: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    ends_with: list[str] | None
    created_by: str | None = None


USERS = User.table()
API_KEYS = ApiKey.table()

_USERS = Records(UserRow, USERS)
_KEYS = Records(KeyRow, API_KEYS)
_USER = Lookup(_USERS, USERS, "id")
_KEY = Lookup(_KEYS, API_KEYS, "id")


def user_row(tx: Transaction, user_id: int) -> UserRow | None:
    """Return any organisation's user to be looked at only, or None."""
    return _USER.first(tx, None, id=user_id)


def key_row(tx: Transaction, key_id: str) -> KeyRow | None:
    """Return any organisation's API key to be looked at only, or None."""
    return _KEY.first(tx, None, id=key_id)


def end_of_key(tx: Transaction, key: ApiKey | KeyRow, now: datetime) -> str:
    """Say why a key opens nothing at `now`; empty while it does, if its owner may come in."""
    makers = _KEYS.select.where(API_KEYS.c.id.in_(key.ends_with or ()))
    for one in (key, *(_KEYS.all(tx.reading, makers) if key.ends_with else ())):
        made = "" if one.id == key.id else f", with which {key.name!r} was made,"
        if one.revoked_at is not None:
            return f"The API key {one.name!r}{made} was revoked"
        if one.expires_at is not None and one.expires_at <= now:
            return f"The API key {one.name!r}{made} has expired"
    return ""


def has_users(tx: Transaction) -> bool:
    """Tell whether anybody exists, in whichever organisation."""
    return tx.connection.execute(select(User.table().c.id).limit(1)).first() is not None


def find_user(session: ScopedSession, user_id: int) -> User | None:
    """Return a user the session may see."""
    return session.exec(select(User).where(col(User.id) == user_id)).first()


def find_user_named(session: ScopedSession, username: str) -> User | None:
    """Return a user by name, whatever its capitals."""
    wanted = literal(username.lower(), ForeignText)
    return session.exec(select(User).where(func.lower(col(User.username)) == wanted)).first()


def username_is_taken(tx: Transaction, username: str) -> bool:
    """Tell whether a name is in use in any organisation: people sign in by name alone."""
    return find_user_named(tx.session(None), username) is not None


def enabled_users(session: ScopedSession) -> list[User]:
    """Return everybody who is not disabled."""
    return list(session.exec(select(User).where(col(User.disabled_at).is_(None))))


def count_users(tx: Transaction, organization_id: int) -> int:
    """Count an organisation's accounts that are not disabled."""
    table = User.table()
    own = (table.c.organization_id == organization_id, table.c.disabled_at.is_(None))
    return tx.connection.execute(select(func.count()).select_from(table).where(*own)).scalar_one()


def select_users(kind: str | None, is_enabled: bool | None, created_by: str | None) -> SelectOfScalar[User]:
    """Select users for a list; a None filter lets all through."""
    statement = select(User)
    if created_by is not None:
        statement = statement.where(col(User.created_by) == created_by)
    if kind is not None:
        statement = statement.where(col(User.kind) == kind)
    if is_enabled is not None:
        disabled_at = col(User.disabled_at)
        statement = statement.where(disabled_at.is_(None) if is_enabled else disabled_at.is_not(None))
    return statement


def store_password_hash(tx: Transaction, user_id: int, former: str, renewed: str) -> None:
    """Replace a hash by one of the same password, unless the password was changed meanwhile."""
    table = User.table()
    same = (table.c.id == user_id, table.c.password_hash == former)
    tx.connection.execute(update(table).where(*same).values(password_hash=renewed))


def find_signed_in(tx: Transaction, user_id: int, family: str) -> User | None:
    """Return the user of a sign-in that has not been revoked."""
    table = RefreshToken.table()
    alive = select(table.c.id).where(table.c.family == family, table.c.revoked_at.is_(None)).limit(1)
    if tx.connection.execute(alive).first() is None:
        return None
    return find_user(tx.session(None), user_id)


def lock_sign_ins(tx: Transaction, user_id: int) -> None:
    """Wait until nobody else opens, continues or ends sign-ins of a user: what is ended then is all that there is."""
    take_named_lock(tx, f"sign-ins of user {user_id}")


def find_refresh_token(tx: Transaction, digest: str) -> RefreshToken | None:
    """Return a refresh token by its SHA-256, to be used by nobody else meanwhile."""
    statement = select(RefreshToken).where(col(RefreshToken.hash) == digest)
    known = tx.session(None).exec(statement).first()
    if known is None or tx.is_snapshot:
        return known
    lock_sign_ins(tx, known.user_id)
    return first_to_change(tx, None, statement)


def revoke_family(tx: Transaction, user_id: int, family: str, now: datetime) -> None:
    """End one sign-in: its refresh tokens at once, its access tokens when next looked at."""
    lock_sign_ins(tx, user_id)
    table = RefreshToken.table()
    alive = (table.c.family == family, table.c.revoked_at.is_(None))
    tx.connection.execute(update(table).where(*alive).values(revoked_at=now))


def revoke_sessions(tx: Transaction, user_id: int, now: datetime) -> None:
    """End every sign-in of a user, with tokens and in browsers."""
    lock_sign_ins(tx, user_id)
    table = RefreshToken.table()
    alive = (table.c.user_id == user_id, table.c.revoked_at.is_(None))
    tx.connection.execute(update(table).where(*alive).values(revoked_at=now))
    browser_tables.end_of_user(tx, user_id, now)


def prune_refresh_tokens(tx: Transaction, expired_before: datetime) -> None:
    """Delete refresh tokens that nobody can use any more."""
    table = RefreshToken.table()
    tx.connection.execute(delete(table).where(table.c.expires_at < expired_before))


def find_api_key(session: ScopedSession, key_id: str) -> ApiKey | None:
    """Return a key the session may see by its public part."""
    return session.get(ApiKey, key_id)


def enabled_users_made_by(session: ScopedSession, created_by: str) -> list[User]:
    """Return the accounts that somebody made and that are not disabled."""
    return list(session.exec(select_users(None, True, created_by).order_by(col(User.id))))


def select_api_keys(user_id: int | None, created_by: str | None) -> SelectOfScalar[ApiKey]:
    """Select API keys for a list; a None filter lets all through."""
    statement = select(ApiKey)
    if created_by is not None:
        statement = statement.where(col(ApiKey.created_by) == created_by)
    return statement if user_id is None else statement.where(col(ApiKey.user_id) == user_id)


def touch_api_key(tx: Transaction, key_id: str, now: datetime) -> None:
    """Note that a key was used."""
    table = ApiKey.table()
    tx.connection.execute(update(table).where(table.c.id == key_id).values(last_used_at=now))


def select_audit_entries(principal: str | None, **wanted: Any) -> SelectOfScalar[AuditEntry]:
    """Select audit lines of a principal (an id or a name) whose columns equal `wanted`; None lets all through."""
    statement = select(AuditEntry)
    if principal is not None:
        either = or_(col(AuditEntry.principal) == principal, col(AuditEntry.principal_name) == principal)
        statement = statement.where(either)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(col(getattr(AuditEntry, name)) == value)
    return statement


class InstallationMark(Row, table=True):
    """What every process on the database must agree on."""

    name: str = Field(primary_key=True)
    value: str


MARKS = InstallationMark.table()
_KEY_ID = "key_id"
_FORMER_KEY_ID = "former_key_id"


class KeyIds(NamedTuple):
    """By which keys values are sealed: the one that seals, and one that sealed before and still opens something."""

    present: str | None
    former: str | None


def known_key_ids(connection: Connection) -> KeyIds:
    """Return the names of the keys that the database was written with."""
    rows = connection.execute(select(MARKS.c.name, MARKS.c.value))
    names: dict[str, str] = {row.name: row.value for row in rows}
    return KeyIds(names.get(_KEY_ID), names.get(_FORMER_KEY_ID))


def replace_key_ids(tx: Transaction, ids: KeyIds) -> None:
    """Write the names of the keys."""
    marks = {_KEY_ID: ids.present, _FORMER_KEY_ID: ids.former}
    tx.connection.execute(delete(MARKS).where(MARKS.c.name.in_(marks)))
    for name, value in marks.items():
        if value is not None:
            tx.connection.execute(MARKS.insert(), {"name": name, "value": value})
