"""How this server proves to the provider which client it is (RFC 6749, section 2.3.1)."""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote_plus

from pydantic import SecretStr


class ProofWay(StrEnum):
    """Where the client's secret stands, by the names of OpenID Connect Discovery, section 3."""

    HEADER = "client_secret_basic"
    FORM = "client_secret_post"


@dataclass(frozen=True, slots=True)
class ClientProof:
    """What is sent with a code: headers, and fields of the form; a public client, without a secret, has no way."""

    way: ProofWay | None
    headers: dict[str, str]
    fields: dict[str, str]


class ClientProofs:
    """The proofs of a client.

    A provider that offers both ways often takes one of a client alone, and nothing that it publishes says which.
    """

    def __init__(self, client_id: str, secret: SecretStr | None) -> None:
        """Take the client; without a secret it is a public one."""
        self._id = client_id
        self._secret = secret
        self._preferred: ProofWay | None = None

    def in_turn(self, offered: Collection[ProofWay]) -> list[ClientProof]:
        """Return a proof for each way that a provider offers, at least one, in the order in which they are tried."""
        if self._secret is None:
            return [ClientProof(None, {}, {"client_id": self._id})]
        ways = sorted(offered, key=lambda way: (way != self._preferred, way))
        return [self._by(way, self._secret.get_secret_value()) for way in ways]

    def prefer(self, proof: ClientProof) -> None:
        """Begin with this proof's way from now on: the other one was refused."""
        self._preferred = proof.way

    def _by(self, way: ProofWay, secret: str) -> ClientProof:
        if way == ProofWay.FORM:
            return ClientProof(way, {}, {"client_id": self._id, "client_secret": secret})
        pair = f"{quote_plus(self._id)}:{quote_plus(secret)}"  # form-encoded before they are joined
        return ClientProof(way, {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {})


def offered_ways(listed: object) -> tuple[ProofWay, ...]:
    """Return the ways that a provider lists: the header where it lists none, the form where it lists others."""
    if not isinstance(listed, list) or not listed:
        return (ProofWay.HEADER,)
    return tuple(way for way in ProofWay if way in listed) or (ProofWay.FORM,)
