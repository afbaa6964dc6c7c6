"""The settings of an installation: the platform's, and a group for each provider."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bpm import settings
from bpm.accounts.checks import check_role, check_username
from bpm.errors import Misconfigured
from bpm.security.net import AddressList
from bpm.security.net_targets import read_url
from bpm.settings import Settings, TlsSettings, unknown_variables
from router.providers import declarations


def _check_issuer(read: Settings) -> None:
    issuer = read.oidc.issuer
    if issuer is None:
        return
    read_url(issuer)
    if "?" in issuer:
        raise ValueError("must have no query")
    if not read.oidc.client_id:
        raise ValueError("needs BPM_OIDC__CLIENT_ID, by which the provider knows this server")


def _check_scopes(read: Settings) -> None:
    if "openid" not in read.oidc.scopes.split():
        raise ValueError("must hold openid, without which a provider does not say who signed in")


def _check_roles(read: Settings) -> None:
    for roles in read.oidc.roles.values():
        for role in roles:
            check_role(role)


def _check_break_glass_user(read: Settings) -> None:
    if read.oidc.break_glass_user is None:
        return
    check_username(read.oidc.break_glass_user)
    if read.oidc.issuer is None:
        raise ValueError("would leave nobody else a way in: BPM_OIDC__ISSUER is not set")


CHECKS: Mapping[str, Callable[[Settings], object]] = {
    "BPM_TRUSTED_PROXIES": lambda read: AddressList.parse(read.trusted_proxies),
    "BPM_DELIVERY__ALLOWED_NETWORKS": lambda read: AddressList.parse(read.delivery.allowed_networks),
    "BPM_OIDC__ISSUER": _check_issuer,
    "BPM_OIDC__SCOPES": _check_scopes,
    "BPM_OIDC__ROLES": _check_roles,
    "BPM_OIDC__BREAK_GLASS_USER": _check_break_glass_user,
    "BPM_OIDC__ALLOWED_NETWORKS": lambda read: AddressList.parse(read.oidc.allowed_networks),
    "BPM_TLS__KEY": lambda read: _require_certificate(read.tls),
}
"""What reads a setting that is more than a value; it raises `ValueError` for what can't be right."""


def settings_type() -> type[Settings]:
    """Return `Settings` with the groups that the providers declare."""
    return settings.with_groups({declared.name: declared.settings for declared in declarations()})


def load_settings(**changes: Any) -> Settings:
    """Read them as `bpm.settings.load_settings` does; raises `Misconfigured`, for a variable that is none, too."""
    kind = settings_type()
    unknown = unknown_variables(kind, os.environ)
    try:
        read = settings.load_settings(kind, **changes)
    except Misconfigured as wrong:
        raise Misconfigured(*unknown, *(each for each in wrong.errors if each not in unknown)) from None
    problems = [*unknown, *_wrong_values(read)]
    if problems:
        raise Misconfigured(*problems)
    return read


def _require_certificate(tls: TlsSettings) -> None:
    if tls.key is not None and tls.certificate is None:
        raise ValueError("BPM_TLS__CERTIFICATE is missing beside it")


def _wrong_values(read: Settings) -> Iterator[str]:
    for name, check in CHECKS.items():
        try:
            check(read)
        except ValueError as error:
            yield f"{name}: {error}"
