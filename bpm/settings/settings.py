"""One frozen `Settings`, read once from the environment (`BPM_…`) when a process starts.

Nested groups are written with two underscores: `BPM_DELIVERY__PROBE`. Providers declare groups of their own
(`with_groups`).
"""

import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bpm.settings.groups import (
    MIB,
    ConnectionSettings,
    ConsoleSettings,
    DeliverySettings,
    DialectSettings,
    Group,
    OidcSettings,
    OrganizationSettings,
    ProcessSettings,
    QuarantineSettings,
    ReferenceSettings,
    RetentionSettings,
    ScriptSettings,
    TlsSettings,
    TraceSettings,
)

PREFIX = "BPM_"
"""How the names of all settings begin."""

ADDRESS = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")

GroupT = TypeVar("GroupT", bound=Group)


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
    accepted_secret_key: SecretStr | None = None
    """A key that opens what it has sealed and seals nothing: the former or the next one, while the key is changed."""
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
    oidc: OidcSettings = OidcSettings()
    scripts: ScriptSettings = ScriptSettings()
    connections: ConnectionSettings = ConnectionSettings()
    tls: TlsSettings = TlsSettings()
    delivery: DeliverySettings = DeliverySettings()
    dialects: DialectSettings = DialectSettings()
    organizations: OrganizationSettings = OrganizationSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    references: ReferenceSettings = ReferenceSettings()
    processes: ProcessSettings = ProcessSettings()
    retention: RetentionSettings = RetentionSettings()
    traces: TraceSettings = TraceSettings()

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
        return (self.public_url or self.own_url).rstrip("/")

    @property
    def own_url(self) -> str:
        """The address on which it listens."""
        protocol = "http" if self.tls.certificate is None else "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{protocol}://{host}:{self.port}"

    def group(self, name: str, kind: type[GroupT]) -> GroupT:
        """Return a group that `with_groups` added; its defaults in settings that were made without it."""
        found = getattr(self, name, None)
        return found if isinstance(found, kind) else kind()

    @property
    def sqlite_path(self) -> Path:
        """Where the embedded database lies when no `database_url` is set."""
        return self.data_dir / "bpm.db"
