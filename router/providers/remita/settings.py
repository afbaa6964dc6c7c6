"""What an installation says about Remita."""

from pydantic import SecretStr

from bpm.settings import Group


class RemitaSettings(Group):
    """Remita's notifications; off until `allowed_ips` or `header_secret` is set."""

    allowed_ips: str | None = None
    """Addresses and CIDR ranges, between commas, from which notifications are taken."""
    header_name: str = "x-remita-secret"
    """The header in which a secret agreed with Remita arrives."""
    header_secret: SecretStr | None = None
    """The secret agreed with Remita; every notification must carry it."""
    merchant_id: str | None = None
    """The merchant whose payments are confirmed by asking Remita back; needs `api_key` too."""
    api_key: SecretStr | None = None
    """The key that goes into the hash of those questions."""
    base_url: str = "https://login.remita.net/remita/ecomm"
    """Where Remita is asked about payments."""
    mandate_url: str = "https://login.remita.net/remita/exapp/api/v1/send/api/echannelsvc/echannel/mandate"
    """Where Remita is asked about mandates and debits."""
