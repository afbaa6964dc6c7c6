"""What attacks share: the parts of the product that tests of commands use, too."""

from tests.commands.conftest import components, house, sandbox

__all__ = ["components", "house", "sandbox"]
