"""Sandboxes that start a zygote of the tests instead of the product's."""

from scripts import Sandbox


class OpenSandbox(Sandbox):
    """Runs plain Python behind the product's own wall."""

    entry = "tests.scripts.open_zygote"


class UnfilteredSandbox(Sandbox):
    """Runs where the kernel offers no system call filter."""

    entry = "tests.scripts.unfiltered_zygote"


class CrowdedSandbox(Sandbox):
    """Runs where there is no room for more than a few processes."""

    entry = "tests.scripts.crowded_zygote"
