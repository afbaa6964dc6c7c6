"""Everything behind the addresses, made once and connected: what a server, a worker and tests of commands share."""

from collections.abc import Iterable
from dataclasses import dataclass

from bpm.accounts import Accounts
from bpm.app.foundation import Foundation, build_foundation
from bpm.app.providers import provider_events
from bpm.app.registry import command_packages
from bpm.app.retention import policies
from bpm.app.routing import Routing, build_routing
from bpm.app.status import ProcessStatus
from bpm.bulk import BulkJobs
from bpm.bus import Bus
from bpm.bus.effect_loops import EffectLoops
from bpm.clock import Clock, system_clock
from bpm.edge.lifecycle import Lifecycle
from bpm.events.catalogue import EventCatalogue
from bpm.events.outbound import Outbound
from bpm.process.jobs import ProcessJobs, StartJobs
from bpm.process.runtime import ProcessRuntime
from bpm.process.start_triggers import ProcessStarts
from bpm.security.identifiers import new_id
from bpm.settings import Settings
from bpm.store.retention import Retention
from bpm.worker import Worker
from router.providers import confirmations
from router.providers.client import ProviderClient
from scripts import Limits, Sandbox


@dataclass(frozen=True, slots=True)
class Processes:
    """What runs process instances and starts them."""

    runtime: ProcessRuntime
    jobs: ProcessJobs
    starts: ProcessStarts


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of one process, connected; nothing is opened yet."""

    foundation: Foundation
    lifecycle: Lifecycle
    events: EventCatalogue
    accounts: Accounts
    bus: Bus
    sandbox: Sandbox
    routing: Routing
    processes: Processes
    outbound: Outbound
    bulk: BulkJobs
    retention: Retention
    provider_client: ProviderClient
    status: ProcessStatus
    effect_loops: EffectLoops

    def worker(self) -> Worker:
        """Return what takes up the jobs of every kind."""
        return Worker(
            self.foundation.database,
            self.foundation.jobs,
            self.bus.scheduled,
            self.routing.execution,
            self.processes.jobs,
            StartJobs(self.bus),
            self.outbound.deliveries,
            self.routing.back_tests,
            self.bulk,
        )

    def services(self) -> Iterable[object]:
        """Return what handlers may ask for, each by its type."""
        return (
            self.status,
            self.events,
            self.accounts,
            self.retention,
            self.sandbox,
            self.provider_client,
            self.foundation.registry,
            self.foundation.settings,
            self.foundation.box,
            self.processes.runtime,
            self.processes.jobs,
            self.processes.starts,
            self.bulk,
            *self.routing.services(),
            *self.outbound.services,
            *confirmations(self.foundation.settings, self.provider_client),
        )


def build_components(settings: Settings, clock: Clock = system_clock, sandbox: Sandbox | None = None) -> Components:
    """Make every part, with a sandbox of its own unless one is given; raises `Misconfigured`, and `OSError`."""
    foundation = build_foundation(settings, clock)
    accounts = Accounts(foundation.database, settings, foundation.key, clock, foundation.accepted_key)
    bus = build_bus(foundation, accounts)
    sandbox = sandbox or Sandbox(Limits(), allow_unconfined=settings.scripts.allow_unconfined)
    routing = build_routing(foundation, bus, accounts)
    processes = build_processes(foundation, bus)
    lifecycle = Lifecycle()
    kept = policies(command_packages(settings))
    components = Components(
        foundation=foundation,
        lifecycle=lifecycle,
        events=EventCatalogue(provider_events()),
        accounts=accounts,
        bus=bus,
        sandbox=sandbox,
        routing=routing,
        processes=processes,
        outbound=build_outbound(foundation, bus, sandbox, processes),
        bulk=BulkJobs(foundation.database, foundation.jobs, bus, clock),
        retention=Retention(foundation.database, settings.retention, clock, new_id(), kept),
        provider_client=ProviderClient(),
        status=ProcessStatus(foundation, lifecycle, sandbox, routing),
        effect_loops=EffectLoops(settings.handler_seconds, foundation.database.abandoned),
    )
    foundation.registry.run_effects_in(components.effect_loops)
    foundation.registry.bind(*components.services())
    return components


def build_bus(foundation: Foundation, accounts: Accounts) -> Bus:
    """Make the bus; what unattended work may do is asked of the accounts."""
    settings = foundation.settings
    return Bus(
        foundation.registry,
        foundation.database,
        foundation.jobs,
        foundation.box,
        foundation.clock,
        settings.effect_seconds,
        accounts.rights,
        settings.processes,
        foundation.tracer,
        foundation.shares,
    )


def build_processes(foundation: Foundation, bus: Bus) -> Processes:
    """Make what runs process instances."""
    runtime = ProcessRuntime(foundation.registry, foundation.jobs, foundation.settings.processes)
    jobs = ProcessJobs(bus, foundation.jobs, runtime.deployed, foundation.shares)
    return Processes(runtime, jobs, ProcessStarts(runtime, foundation.jobs))


def build_outbound(foundation: Foundation, bus: Bus, sandbox: Sandbox, processes: Processes) -> Outbound:
    """Make what publishes and delivers; processes hear events beside the subscribers."""
    heard_by = (processes.starts,)
    return Outbound(bus, foundation.jobs, foundation.lanes, foundation.box, sandbox, foundation.settings, heard_by)
