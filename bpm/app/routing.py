"""The router, connected: what takes requests in, executes them, and drives stored ones again."""

from collections.abc import Iterable
from dataclasses import dataclass

from bpm.accounts import Accounts
from bpm.app.foundation import Foundation
from bpm.bus import Bus
from bpm.security.net import AddressList
from bpm.security.net_targets import Targets
from bpm.security.references import References
from bpm.signatures import TrustSources, no_lookup
from router import providers
from router.answers import Answers
from router.backtest import BackTests
from router.execution import Execution
from router.fixed_routes import FixedRoutes
from router.immediate import ImmediateExecution
from router.inbox import Inbox
from router.published_keys import PublishedKeys
from router.quota import Quota
from router.replay import Judge, ReplayedRules, Replays, Resends
from router.request_messages import RequestMessages
from router.request_seal import RequestSeal
from router.route_table import RouteTable
from router.rule_compiler import RuleCompiler
from router.secret_watch import SecretWatch
from router.subscription_client import SubscriptionClient
from router.sync_execution import SyncExecution


@dataclass(frozen=True, slots=True)
class Routing:
    """The parts of the router that others lean on."""

    routes: RouteTable
    fixed: FixedRoutes
    answers: Answers
    quota: Quota
    inbox: Inbox
    messages: RequestMessages
    sync: SyncExecution
    execution: Execution
    immediate: ImmediateExecution
    replays: Replays
    resends: Resends
    back_tests: BackTests
    published_keys: PublishedKeys
    subscriptions: SubscriptionClient
    trust: TrustSources
    secrets: SecretWatch

    def services(self) -> Iterable[object]:
        """Return what handlers may ask for."""
        return (
            self.routes,
            self.messages,
            self.execution,
            self.quota,
            self.replays,
            self.resends,
            self.back_tests,
            self.trust,
            self.subscriptions,
        )


def build_routing(foundation: Foundation, bus: Bus, accounts: Accounts) -> Routing:
    """Make and connect the parts."""
    settings, database, jobs, lanes = foundation.settings, foundation.database, foundation.jobs, foundation.lanes
    targets = Targets(AddressList.parse(settings.delivery.allowed_networks))
    published_keys = PublishedKeys(targets)
    certificate_header = (settings.client_certificate_header or "").lower()
    trust = TrustSources(no_lookup, certificate_header, published_keys.of)
    compile_rule = RuleCompiler(foundation.registry, foundation.box, settings, trust)
    routes = RouteTable(database, compile_rule)
    fixed = FixedRoutes(providers.discover(settings))
    seal = RequestSeal(foundation.box)
    answers = Answers(seal)
    quota = Quota(settings.quarantine)
    inbox = Inbox(database, jobs, lanes, quota, seal)
    messages = RequestMessages(bus, fixed, ReplayedRules(database, compile_rule), accounts.rights.present)
    sync = SyncExecution(bus, messages, inbox, jobs, answers, foundation.clock, settings.sync_limit_seconds, seal)
    execution = Execution(
        bus,
        routes,
        messages,
        sync,
        inbox,
        jobs,
        lanes,
        foundation.clock,
        seal,
    )
    judge = Judge(routes, fixed, seal, settings.max_body_bytes)
    return Routing(
        routes,
        fixed,
        answers,
        quota,
        inbox,
        messages,
        sync,
        execution,
        ImmediateExecution(bus, messages, execution, jobs),
        Replays(judge, jobs, lanes, bus.causation, bus.tracer),
        Resends(judge, jobs, lanes, bus.causation, bus.tracer),
        BackTests(
            database, foundation.registry, compile_rule, foundation.clock, seal, routes.rules_beside, bus.require_now
        ),
        published_keys,
        SubscriptionClient(targets),
        trust,
        SecretWatch(bus, routes, References(settings.references), foundation.clock),
    )
