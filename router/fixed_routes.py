"""The providers' fixed addresses, looked up by path and method."""

from collections.abc import Iterable, Mapping

from router.providers import FixedRoute, Provider

Entry = tuple[Provider, FixedRoute]


class FixedRoutes:
    """Every route of every provider that is switched on."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        """Index the routes."""
        self._providers = tuple(providers)
        self._by_path: dict[str, dict[str, Entry]] = {}
        for provider in self._providers:
            for route in provider.routes:
                self._by_path.setdefault(route.path, {})[route.method] = (provider, route)

    def find(self, path: str) -> Mapping[str, Entry] | None:
        """Return the routes at a path (without the prefix) by method, or None."""
        return self._by_path.get(path)

    def off(self) -> dict[str, str]:
        """Return the providers that are switched off, each with what switches it on."""
        return {provider.name: provider.off for provider in self._providers if not provider.routes}
