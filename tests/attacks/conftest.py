"""What attacks share: the parts of the product that tests of commands use, too."""

from tests.commands.conftest import components, sandbox, sender

__all__ = ["components", "sandbox", "sender"]
