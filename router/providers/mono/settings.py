"""What an installation says about Mono."""

from pydantic import SecretStr

from bpm.settings import Group


class MonoSettings(Group):
    """Mono's callback; off until `webhook_secret` is set."""

    webhook_secret: SecretStr | None = None
    """What Mono sends in `mono-webhook-secret`; setting it switches `/api/webhooks/mono/callback` on."""
    secret_key: SecretStr | None = None
    """The key with which codes of Mono Connect are exchanged for account ids, and Mono is asked about payments."""
    base_url: str = "https://api.withmono.com"
    """Where Mono is asked."""
    redirect_url: str | None = None
    """Where a browser is sent that comes back from Mono Connect; without it, it gets a small page."""
