"""Changing the password of one's own account."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from bpm.accounts import Accounts
from bpm.accounts.lookup import find_account, present_sender
from bpm.accounts.tables import User
from bpm.bus import Command, Context, EffectContext, handles
from bpm.errors import Conflict, Forbidden, Invalid, Unauthenticated
from bpm.security.passwords import MAX_CHARACTERS
from commands.accounts.users import Password, set_password
from commands.accounts.views import UserView


class ChangeOwnPasswordCommand(Command[UserView]):
    """Change the password with which you sign in, and end every browser and token of yours, this one as well.

    API keys go on, and none can change a password. Wrong current passwords count as tries to sign in.
    """

    permission = None
    succeeded = "Password changed successfully"
    failed = "Password not changed"
    secrets = frozenset({"currentPassword", "newPassword"})
    sample = {"currentPassword": "the one that I have", "newPassword": "the one from now on"}

    current_password: Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)]
    """The password that you have."""
    new_password: Password
    """The password from now on."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Something must change."""
        if fields.get("newPassword") is not None and fields.get("newPassword") == fields.get("currentPassword"):
            yield "newPassword: must differ from the current one"


@handles
async def change_own_password(
    command: ChangeOwnPasswordCommand, context: EffectContext, accounts: Accounts
) -> UserView:
    """Verify the current password as a sign-in does, then hash the new one outside the transaction."""
    own = await context.read(lambda inside: _own(inside, accounts))
    try:
        verified = await accounts.sessions.verify(own.username, command.current_password, context.envelope.address)
    except Unauthenticated:
        raise Invalid("currentPassword: is wrong") from None
    hashed = await accounts.passwords.hash(command.new_password)
    return await context.conclude(lambda inside: _change(inside, accounts, verified, hashed))


def _own(context: Context, accounts: Accounts) -> User:
    """Return the user who is signed in; raises `Forbidden` for everybody else, and for who has no password."""
    user, key = find_account(context.session, context.principal.id)
    if user is None or key is not None or user.kind == "service":
        raise Forbidden(
            "only a person who is signed in changes a password, in the own organisation and with no API key"
        )
    if user.password_hash is None or not accounts.sessions.takes_password_of(user):
        raise Conflict("You do not sign in with a password, so there is none to change")
    return user


def _change(context: Context, accounts: Accounts, verified: User, hashed: str) -> UserView:
    present_sender(context)
    user = _own(context, accounts)
    if user.password_hash != verified.password_hash:
        raise Conflict("The password was changed meanwhile; sign in with the new one")
    set_password(user, hashed, context)
    context.session.flush()
    context.tx.forget()
    context.after_commit(accounts.forget)
    return UserView.model_validate(user)
