"""One frozen `Settings`, read once from the environment (`BPM_…`) when a process starts.

Nested groups are written with two underscores: `BPM_MONO__WEBHOOK_SECRET`.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024


class Group(BaseModel):
    """A named group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MonoSettings(Group):
    """Mono's callback; off until `webhook_secret` is set."""

    webhook_secret: SecretStr | None = None
    secret_key: SecretStr | None = None
    base_url: str = "https://api.withmono.com"
    redirect_url: str | None = None


class RemitaSettings(Group):
    """Remita's notifications; off until `allowed_ips` or `header_secret` is set."""

    allowed_ips: str | None = None
    header_name: str = "x-remita-secret"
    header_secret: SecretStr | None = None
    merchant_id: str | None = None
    api_key: SecretStr | None = None
    base_url: str = "https://login.remita.net/remita/ecomm"


class ScriptSettings(Group):
    """The sandbox for inline scripts."""

    allow_unconfined: bool = False


class DeliverySettings(Group):
    """Outbound deliveries."""

    allowed_networks: str = ""
    probe: Literal["on", "off"] = "on"


class Settings(BaseSettings):
    """All settings of one process; immutable.

    Sizes are bytes and times are seconds unless a name says otherwise.
    """

    model_config = SettingsConfigDict(
        env_prefix="BPM_", env_nested_delimiter="__", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None
    data_dir: Path = Path("data")
    database_url: str | None = None
    durability: Literal["full", "relaxed"] = "full"

    secret_key: SecretStr | None = None
    admin_username: str = "admin"
    admin_password: SecretStr | None = None
    access_token_seconds: int = Field(default=900, ge=30)
    refresh_token_seconds: int = Field(default=14 * 86400, ge=60)

    command_packages: Annotated[tuple[str, ...], NoDecode] = ()
    trusted_proxies: str = ""
    max_body_bytes: int = Field(default=MIB, ge=1024)
    sync_limit_seconds: float = Field(default=10.0, gt=0)
    drain_seconds: float = Field(default=10.0, gt=0)
    worker_concurrency: int = Field(default=100, ge=1)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    mono: MonoSettings = MonoSettings()
    remita: RemitaSettings = RemitaSettings()
    scripts: ScriptSettings = ScriptSettings()
    delivery: DeliverySettings = DeliverySettings()

    @field_validator("command_packages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(p.strip() for p in value.split(",") if p.strip()) if isinstance(value, str) else value

    @property
    def base_url(self) -> str:
        """The address under which this server is reached from outside, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def sqlite_path(self) -> Path:
        """Where the embedded database lies when no `database_url` is set."""
        return self.data_dir / "bpm.db"

    def prepare_data_dir(self) -> None:
        """Create the data folder, readable by its owner only."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(self.data_dir, os.W_OK):
            message = f"the data folder {self.data_dir} can't be written; set BPM_DATA_DIR to one that can"
            raise PermissionError(message)
