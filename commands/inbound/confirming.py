"""Confirm a subscription that a provider asks for, by opening the address that it names."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from bpm.bus import Command, EffectContext, View, handles
from router.subscription_client import SubscriptionClient


class SubscriptionConfirmationView(View):
    """The subscription is confirmed: the provider's address answered so."""

    host: str
    """The host of the address."""
    status: int
    """The HTTP status of the answer."""


class ConfirmSubscriptionCommand(Command[SubscriptionConfirmationView]):
    """Open the address by which a provider has a subscription confirmed, as the SubscribeURL of Amazon SNS.

    Rules with the handshake `confirm` send it for requests whose signature is right. Only https and the hosts named
    are opened, no redirect is followed, and an answer has ten seconds.
    """

    permission = "webhooks:write"
    succeeded = "Subscription confirmed"
    failed = "Confirming the subscription failed"
    secrets = frozenset({"address"})

    address: Annotated[str, Field(min_length=1, max_length=2_048, repr=False)]
    """The address to open, which mostly holds a token."""
    hosts: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z0-9.{}-]{1,253}(:[0-9]{1,5})?$")]], Field(min_length=1, max_length=20)
    ]
    """The hosts that may be opened; `{region}` stands for a region of Amazon's."""


@handles
async def confirm_subscription(
    command: ConfirmSubscriptionCommand, context: EffectContext, client: SubscriptionClient
) -> SubscriptionConfirmationView:
    """Open the address; nothing of the answer but its status is kept."""
    status = await client.confirm(command.address, command.hosts)
    return await context.conclude(
        lambda _: SubscriptionConfirmationView(host=urlsplit(command.address).hostname or "", status=status)
    )
