"""The composition of publishing and delivery."""

from collections.abc import Sequence

from bpm.bus import Bus
from bpm.events.deliveries import Deliveries
from bpm.events.destination import Destinations
from bpm.events.destination_slots import DestinationLimiters
from bpm.events.health import Health
from bpm.events.publisher import Listener, Publisher
from bpm.events.settlement import DeliverySettlement
from bpm.jobs import JobQueue, Lanes
from bpm.security.net import AddressList
from bpm.security.net_targets import Targets
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from scripts import Sandbox


class Outbound:
    """What publishes, and what delivers; `services` are what command handlers may ask for."""

    def __init__(
        self,
        bus: Bus,
        jobs: JobQueue,
        lanes: Lanes,
        box: SecretBox,
        sandbox: Sandbox,
        settings: Settings,
        listeners: Sequence[Listener] = (),
    ) -> None:
        """Make and connect the parts; raises `AddressError` for networks that can't be read."""
        targets = Targets(AddressList.parse(settings.delivery.allowed_networks))
        destinations = Destinations(box)
        health = Health(jobs)
        most_bytes = settings.delivery.max_event_bytes
        self.publisher = Publisher(jobs, lanes, destinations, listeners, most_bytes)
        settlement = DeliverySettlement(bus, jobs, lanes, health)
        self.attempts = settlement.attempts
        self.deliveries = Deliveries(
            bus,
            settlement,
            destinations,
            sandbox,
            targets,
            settings.base_url,
            DestinationLimiters(settings.delivery.max_in_flight, settings.worker_concurrency),
            most_bytes,
        )
        self.services = (destinations, health, jobs, lanes, self.publisher, targets)
