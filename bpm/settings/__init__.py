"""What an installation can choose: groups of settings, `Settings` with all of them, and how they are read."""

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
from bpm.settings.loading import load_settings, unknown_variable, unknown_variables, variables, with_groups
from bpm.settings.settings import PREFIX, Settings

__all__ = [
    "MIB",
    "PREFIX",
    "ConnectionSettings",
    "ConsoleSettings",
    "DeliverySettings",
    "DialectSettings",
    "Group",
    "OidcSettings",
    "OrganizationSettings",
    "ProcessSettings",
    "QuarantineSettings",
    "ReferenceSettings",
    "RetentionSettings",
    "ScriptSettings",
    "Settings",
    "TlsSettings",
    "TraceSettings",
    "load_settings",
    "unknown_variable",
    "unknown_variables",
    "variables",
    "with_groups",
]
