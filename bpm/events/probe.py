"""Is there a receiver? Asked once, when a subscription's URL is chosen: its addresses and its certificate."""

import asyncio
import ssl

from bpm.events.dns_lookups import DnsLookups
from bpm.security.net_targets import Target, TargetError, Targets
from bpm.security.tls import client_context

SECONDS = 10.0
THREADS, EACH = 32, 2

LOOK_UPS = DnsLookups(THREADS, EACH)
"""Name servers are asked in few threads for each organisation, and in none that anything else needs."""


async def probe(target: Target, targets: Targets, organization_id: int = 0) -> None:
    """Resolve the host and shake hands with it over TLS; nothing is sent. Raises `TargetError`."""
    try:
        async with asyncio.timeout(SECONDS):
            addresses = await _addresses(target, targets, organization_id)
            if target.scheme == "https":
                await _shake_hands(target, addresses)
    except TimeoutError:
        raise TargetError(f"nothing answers there within {SECONDS:g} seconds") from None


async def _addresses(target: Target, targets: Targets, organization_id: int) -> list[str]:
    try:
        found, _ = await LOOK_UPS.ask(organization_id, target.host)
    except (OSError, UnicodeError) as error:
        raise TargetError(f"the host {target.host} can't be found ({error})") from error
    addresses = list(dict.fromkeys(str(place[0]) for _, _, _, _, place in found))
    targets.check_addresses(target.host, addresses, target.scheme)
    return addresses


async def _shake_hands(target: Target, addresses: list[str]) -> None:
    """Shake hands with the first address that answers; what the last one says counts when none does."""
    for address in addresses:
        try:
            _, writer = await asyncio.open_connection(
                address, target.port, ssl=client_context(), server_hostname=target.host.rstrip(".")
            )
        except ssl.SSLCertVerificationError as error:
            raise TargetError(f"the certificate is not valid: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise TargetError(f"TLS is not possible there: {error.reason}") from error
        except OSError as error:
            if address == addresses[-1]:
                raise TargetError(f"nothing answers there ({error})") from error
        else:
            writer.transport.abort()
            return
