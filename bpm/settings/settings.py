"""One frozen `Settings`, read once from the environment (`BPM_…`) when a process starts.

Nested groups are written with two underscores: `BPM_DELIVERY__PROBE`. Providers declare groups of their own
(`with_groups`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from bpm.errors import Misconfigured
from bpm.spelling import nearest

MIB = 1024 * 1024


PREFIX = "BPM_"
"""How the names of all settings begin."""

ADDRESS = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")


class Group(BaseModel):
    """A named group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


GroupT = TypeVar("GroupT", bound=Group)


class ConsoleSettings(Group):
    """The console in the browser."""

    idle_seconds: int = Field(default=3600, ge=300)
    """How long a browser stays signed in without doing anything."""
    session_seconds: int = Field(default=12 * 3600, ge=300)
    """How long a browser stays signed in at most."""


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


class RetentionSettings(Group):
    """How long things are kept, in days; 0 is for ever. What is still to be executed is never pruned."""

    bodies_days: int = Field(default=30, ge=0)
    """Bodies of requests that were executed or refused; the request itself stays, without its body."""
    results_days: int = Field(default=30, ge=0)
    """Results of requests, and recorded runs of scripts."""
    rows_days: int = Field(default=90, ge=0)
    """Requests, events, deliveries, ended process instances with their history, and messages that were sent."""
    quarantine_days: int = Field(default=30, ge=0)
    """Requests in quarantine, whole, so that they can be driven again."""
    dead_days: int = Field(default=180, ge=0)
    """Dead requests, whole, so that they can be replayed."""
    audit_days: int = Field(default=365, ge=0)
    """The audit log."""
    max_database_mb: int = Field(default=0, ge=0)
    """The largest the embedded database may grow; above, the oldest bodies go, then the oldest requests."""


class Settings(BaseSettings):
    """All settings of one process; immutable, and without a name that is none of them.

    Sizes are bytes and times are seconds unless a name says otherwise.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """The port to listen on."""
    public_url: str | None = None
    """The address under which the server is reached from outside; the `url` of a webhook begins with it."""
    data_dir: Path = Path("data")
    """The folder of the database and the generated key."""
    database_url: str | None = None
    """`sqlite:///` and a file, or `postgresql://user:password@host/name`; unset, `bpm.db` in the data folder."""
    durability: Literal["full", "relaxed"] = "full"
    """`full` waits for the disk at every commit; `relaxed` may lose the last moments in a power cut."""
    backup_before_upgrade: bool = True
    """Whether an older SQLite file is backed up, beside itself, before a new version migrates it."""

    secret_key: SecretStr | None = None
    """Signs tokens and seals secrets, at least 32 characters; unset, it is made and kept in the data folder."""
    admin_username: str = "admin"
    """The name of the first administrator."""
    admin_password: SecretStr | None = None
    """The first administrator's password; unset, one is made and printed once."""
    access_token_seconds: int = Field(default=900, ge=30)
    """How long an access token holds."""
    refresh_token_seconds: int = Field(default=14 * 86400, ge=60)
    """How long a refresh token can be exchanged for new tokens."""

    command_packages: Annotated[tuple[str, ...], NoDecode] = ()
    """Packages, between commas, with an application's own commands."""
    trusted_proxies: str = ""
    """Addresses and CIDR ranges of the proxies that are believed about a client's address."""
    proxy_header: Literal["x-forwarded-for", "forwarded"] | None = None
    """The one header in which they tell it; unset, both are read, and where they disagree the address is unknown."""
    client_certificate_header: str | None = None
    """The header in which these proxies pass on a client's certificate; from anybody else it is dropped."""
    max_body_bytes: int = Field(default=MIB, ge=1024)
    """The largest body; a webhook configuration may set its own."""
    sync_limit_seconds: float = Field(default=10.0, gt=0)
    """How long the caller of a `sync` webhook, or of a supervised process start, waits at most."""
    handler_seconds: float = Field(default=10.0, gt=0)
    """How long a transactional handler or a query may take; then it is interrupted, its work undone."""
    effect_seconds: float = Field(default=60.0, gt=0)
    """How long a handler that reaches outside the database may take, unless its message says otherwise."""
    drain_seconds: float = Field(default=10.0, gt=0)
    """How long what runs may take to finish when the server stops."""
    worker: bool = True
    """Whether this process also runs jobs; without any worker, what was accepted waits on disk."""
    worker_concurrency: int = Field(default=400, ge=2)
    """How many jobs a process runs at once."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are logged."""
    log_format: Literal["auto", "json", "console"] = "auto"
    """`auto` is `console` on a terminal and `json` elsewhere."""

    console: ConsoleSettings = ConsoleSettings()
    scripts: ScriptSettings = ScriptSettings()
    connections: ConnectionSettings = ConnectionSettings()
    delivery: DeliverySettings = DeliverySettings()
    dialects: DialectSettings = DialectSettings()
    organizations: OrganizationSettings = OrganizationSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    references: ReferenceSettings = ReferenceSettings()
    processes: ProcessSettings = ProcessSettings()
    retention: RetentionSettings = RetentionSettings()

    @field_validator("command_packages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(p.strip() for p in value.split(",") if p.strip()) if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not ADDRESS.fullmatch(value):
            raise ValueError("must be the address under which the server is reached, as in https://hooks.example.com")
        return value

    @property
    def base_url(self) -> str:
        """The address under which this server is reached from outside, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def group(self, name: str, kind: type[GroupT]) -> GroupT:
        """Return a group that `with_groups` added; its defaults in settings that were made without it."""
        found = getattr(self, name, None)
        return found if isinstance(found, kind) else kind()

    @property
    def sqlite_path(self) -> Path:
        """Where the embedded database lies when no `database_url` is set."""
        return self.data_dir / "bpm.db"


BESIDE = frozenset({"BPM_URL", "BPM_TOKEN", "BPM_USERNAME", "BPM_PASSWORD", "BPM_SKIP_UI"})
"""Variables that are no settings: the command line's, and the one of `pip install`."""

FREE = ("BPM_TEST_", "BPM_BENCH_")
"""Beginnings of names that are left to tests."""

_FIELD = re.compile(r'field "(\w+)"')


def with_groups(groups: Mapping[str, type[Group]]) -> type[Settings]:
    """Return `Settings` with more groups: `acme` is read from `BPM_ACME__…`."""
    added: dict[str, Any] = {name: (group, group()) for name, group in groups.items()}
    return create_model("Settings", __base__=Settings, **added)


def load_settings(kind: type[Settings] = Settings, /, **changes: Any) -> Settings:
    """Read the settings of the environment, with `changes` before it.

    Raises `Misconfigured` with a sentence for each that is wrong; none repeats a value, which may be a secret.
    """
    try:
        return kind(**changes)
    except ValidationError as error:
        known = [name for name, _ in variables(kind)]
        problems = error.errors(include_input=False)
        raise Misconfigured(*(_sentence(dict(each), known) for each in problems)) from None
    except SettingsError as error:
        found = _FIELD.search(str(error))
        name = f"{PREFIX}{found[1].upper()}" if found is not None else "a setting"
        raise Misconfigured(f"{name}: must be JSON; its settings can be written one by one, as {name}__…") from None


def variables(kind: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every variable that is a setting, with its field."""
    for name, field in kind.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, Group):
            inside = group.model_fields.items()
            yield from ((f"{PREFIX}{name}__{inner}".upper(), each) for inner, each in inside)
        else:
            yield f"{PREFIX}{name}".upper(), field


def unknown_variables(kind: type[Settings], environment: Iterable[str]) -> list[str]:
    """Return a sentence for each variable of the environment that looks like a setting and is none."""
    known = [name for name, _ in variables(kind)]
    groups = {name.partition("__")[0] for name in known}
    names = sorted(name.upper() for name in environment if name.upper().startswith(PREFIX))
    others = (name for name in names if name not in BESIDE and not name.startswith(FREE))
    return [unknown_variable(name, known) for name in others if name not in known and name not in groups]


def unknown_variable(name: str, known: Iterable[str]) -> str:
    """Say that there is no such setting, and which one was probably meant."""
    near = nearest(name, known, cutoff=0.75)
    hint = f"did you mean {near[0]}?" if near else "docs/reference/settings.md lists them"
    return f"{name}: there is no such setting; {hint}"


def _sentence(problem: Mapping[str, Any], known: Iterable[str]) -> str:
    name = PREFIX + "__".join(map(str, problem["loc"])).upper()
    if problem["type"] == "extra_forbidden":
        return unknown_variable(name, known)
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
