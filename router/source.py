"""To which configuration, or which provider, a request belongs."""

from dataclasses import dataclass

from bpm.security.permissions import INSTALLATION
from router.providers import Provider
from router.request_secrets import ALWAYS, STRANGE, RequestSecrets
from router.rule import Rule


@dataclass(frozen=True, slots=True)
class Source:
    """The organisation, and the configuration at its revision or the provider; neither for a stranger's request."""

    organization_id: int
    config_id: int | None = None
    config_key: str | None = None
    revision: int | None = None
    provider: str | None = None
    confidential: RequestSecrets = ALWAYS

    @staticmethod
    def of(rule: Rule) -> "Source":
        """Return the source that a rule is."""
        return Source(rule.organization_id, rule.id, rule.key, rule.revision, None, rule.confidential)

    @staticmethod
    def of_provider(provider: Provider) -> "Source":
        """Return the source that a provider is."""
        return Source(INSTALLATION, provider=provider.name, confidential=provider.confidential)

    def dedupe_key(self, key: str | None) -> str | None:
        """Return a provider's id as it is unique among all sources."""
        return f"{self.config_id or self.provider}:{key}" if key is not None else None


STRANGER = Source(INSTALLATION, confidential=STRANGE)
"""Where a request belongs that no rule or provider knows."""
