"""What settings of one subject stand in: a group for each, named by a word in front of two underscores."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

MIB = 1024 * 1024
MOST_DAYS = 36_500
"""A century, more than which no calendar has to reckon with; for ever is 0."""
YEAR_SECONDS = 365 * 24 * 3_600


class Group(BaseModel):
    """A named group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ConsoleSettings(Group):
    """The console in the browser."""

    installation: str = Field(default="", max_length=40)
    """What this installation is called on every page, as in `production`, so that nobody takes one for another."""
    colour: Literal["grey", "red", "amber", "green", "blue"] = "grey"
    """The colour that its name stands in."""
    idle_seconds: int = Field(default=3600, ge=300, le=YEAR_SECONDS)
    """How long a browser stays signed in without doing anything."""
    session_seconds: int = Field(default=12 * 3600, ge=300, le=YEAR_SECONDS)
    """How long a browser stays signed in at most."""


class OidcSettings(Group):
    """Single sign-on to the console, through a provider that speaks OpenID Connect; off without `issuer`."""

    issuer: str | None = None
    """The provider's issuer, as in `https://login.example.com/realms/bank`; `/.well-known/…` is looked for below it."""
    client_id: str = ""
    """What the provider calls this server."""
    client_secret: SecretStr | None = None
    """The secret that it gave to this client; unset for a public client, which proves itself by PKCE alone."""
    name: str = Field(default="single sign-on", min_length=1, max_length=60)
    """What the button says behind "Sign in with"."""
    scopes: str = "openid profile"
    """What is asked for, between blanks; some providers send groups only for a scope of their own."""
    username_claim: str = "preferred_username"
    """The claim that a new user is called by, in the ID token or at the userinfo endpoint; nobody is known by it."""
    groups_claim: str = "groups"
    """The claim that lists a user's groups; dots lead into claims, as in `realm_access.roles`."""
    roles: dict[str, list[str]] = {}
    """JSON: the roles of each group, as in `{"bus-admins": ["admin"]}`; without it roles are given here."""
    create_users: bool = False
    """Whether somebody who is not known yet becomes a user at the first sign-in."""
    organization_id: int = Field(default=1, ge=1)
    """The organisation that such users belong to; 1 is the installation's own."""
    break_glass_user: str | None = None
    """The one user who may still sign in with a password; unset, all who have one may."""
    allowed_networks: str = ""
    """Private networks, as CIDR ranges between commas, in which the provider may be."""


class ScriptSettings(Group):
    """The sandbox for inline scripts."""

    allow_unconfined: bool = False
    """Run scripts also where the kernel has no system call filter; without it the server does not start there."""
    recorded_runs: int = Field(default=10_000, ge=0)
    """How many runs of scripts an organisation keeps, the newest; 0 keeps none."""
    recorded_bytes: int = Field(default=256 * 1024, ge=0)
    """What a recorded run may hold; of a larger one only the figures are kept, and it can't be replayed."""


class ConnectionSettings(Group):
    """What a client's connection may cost before anybody knows who it is."""

    max_open: int = Field(default=4_096, ge=1)
    """How many connections may be open at once; fewer, where the system lets the process open fewer files."""
    max_per_address: int = Field(default=0, ge=0)
    """How many of them may come from one address, or IPv6 network of /64, but for trusted proxies; 0 is half of all."""
    max_head_bytes: int = Field(default=64 * 1024, ge=4 * 1024, le=MIB)
    """The largest head of a request, its address and headers; also the most that may stand between chunks of a body."""
    max_headers: int = Field(default=512, ge=10, le=10_000)
    """How many headers a request may have."""
    head_seconds: float = Field(default=20.0, gt=0)
    """How long a head may take, from the opening of the connection or the first byte of a further request."""
    body_seconds: float = Field(default=30.0, gt=0)
    """How long a body may take."""
    idle_seconds: float = Field(default=75.0, gt=0)
    """How long a connection may stay open without a further request."""
    answer_seconds: float = Field(default=60.0, gt=0)
    """How long a client may leave its answer unread."""
    max_buffered_mb: int = Field(default=256, ge=1)
    """How many megabytes the bodies of all requests under way may take up together."""


class TlsSettings(Group):
    """TLS of the server's own; without a certificate it speaks in clear, on its own machine or behind a proxy."""

    certificate: Path | None = None
    """The file (PEM) of the certificate and of those between it and its root; read again when it changes."""
    key: Path | None = None
    """The file (PEM) of its key, without a password; unset, the key stands in the certificate's file."""
    handshake_seconds: float = Field(default=10.0, gt=0)
    """How long a handshake may take."""
    max_handshakes: int = Field(default=256, ge=1)
    """How many handshakes may be under way in a process; above, the oldest is given up for the newest."""


class DeliverySettings(Group):
    """Outbound deliveries."""

    allowed_networks: str = ""
    """Private networks, as CIDR ranges between commas, that deliveries may reach."""
    probe: Literal["on", "off"] = "on"
    """Whether the address and certificate of a new subscription's URL are checked."""
    max_subscriptions: int = Field(default=1_000, ge=1)
    """How many subscriptions an organisation may have, unless a limit of its own says otherwise."""
    max_event_bytes: int = Field(default=2 * MIB, ge=1024)
    """The largest data of an event."""
    max_in_flight: int = Field(default=25, ge=1)
    """How many deliveries to one subscription are under way at once in a process, unless it says otherwise."""


class ProcessSettings(Group):
    """What a process instance, and all that one cause begins, may use; whatever would need more is an incident."""

    max_steps: int = Field(default=1_000, ge=1)
    """How many elements an instance may pass for one trigger; each turn of a repeated activity adds 100."""
    max_unattended_steps: int = Field(default=100_000, ge=1)
    """How many elements an instance may pass until a person, a message or a timer of a second or more comes."""
    max_tokens: int = Field(default=20_000, ge=1)
    """How many tokens an instance may have at once."""
    max_state_bytes: int = Field(default=8 * MIB, ge=1024)
    """The largest state of an instance as JSON, its variables included."""
    max_caused_instances: int = Field(default=10_000, ge=1)
    """How many instances one cause may begin in an hour; half as many at each further depth, but always 100."""
    max_caused_messages: int = Field(default=100_000, ge=1)
    """How many further messages one cause may send in an hour."""
    max_caused_bytes: int = Field(default=256 * MIB, ge=1024)
    """How many bytes of messages and instances one cause may store in an hour."""


class OrganizationSettings(Group):
    """What an organisation may have, unless a limit of its own says otherwise."""

    max_users: int = Field(default=0, ge=0)
    """How many users and service accounts an organisation may have; 0 is any number."""
    max_webhooks: int = Field(default=0, ge=0)
    """How many webhook configurations an organisation may have; 0 is any number."""


class QuarantineSettings(Group):
    """What is kept of the requests that were refused, in each organisation; strangers' belong to the installation."""

    requests_per_day: int = Field(default=10_000, ge=1)
    """How many refused and repeated requests are kept of a day (UTC), counted in each process."""
    bytes_per_day: int = Field(default=64 * MIB, ge=1024)
    """How many bytes of them are."""


class DialectSettings(Group):
    """The REST interfaces of other products."""

    requests_per_minute: int = Field(default=300, ge=0)
    """How many requests a caller may send to them in a minute, counted in each process; 0 is any number."""


class ReferenceSettings(Group):
    """Which variables and files of the server may hold the secrets of the installation's rules (`env:`, `file:`)."""

    variables: str = "*"
    """Their names, between commas, as in `PAY_*, SHOP_SECRET`; the server's own, `BPM_…`, never are."""
    folder: Path | None = None
    """The folder of the files; without it no file may be referred to."""


class TraceSettings(Group):
    """Traces, for a collector that speaks the protocol of OpenTelemetry; the extra `otel` has to be installed."""

    endpoint: str | None = None
    """The collector's address, as in http://127.0.0.1:4318; unset, nothing is traced."""
    headers: SecretStr | None = None
    """Headers that the collector asks for, as in `api-key=secret`, between commas."""
    ratio: float = Field(default=1.0, ge=0, le=1)
    """How many of all traces are sent, from 0 to 1; each is sent whole, or not at all."""
    service: str = Field(default="bpm-bus", min_length=1, max_length=100)
    """The name under which the collector shows them."""


class RetentionSettings(Group):
    """How long things are kept, in days; 0 is for ever. What is still to be executed is never pruned."""

    bodies_days: int = Field(default=30, ge=0, le=MOST_DAYS)
    """Bodies of requests that were executed or refused; the request itself stays, without its body."""
    results_days: int = Field(default=30, ge=0, le=MOST_DAYS)
    """Results of requests, and recorded runs of scripts."""
    rows_days: int = Field(default=90, ge=0, le=MOST_DAYS)
    """Requests, events, deliveries, ended process instances with their history, and messages that were sent."""
    quarantine_days: int = Field(default=30, ge=0, le=MOST_DAYS)
    """Requests in quarantine, whole, so that they can be driven again."""
    dead_days: int = Field(default=180, ge=0, le=MOST_DAYS)
    """Dead requests, whole, so that they can be replayed."""
    audit_days: int = Field(default=365, ge=0, le=MOST_DAYS)
    """The audit log."""
    max_database_mb: int = Field(default=0, ge=0)
    """The largest the embedded database may grow; above, the oldest bodies go, then the oldest requests."""
