"""What attacks share: the parts of the product that tests of commands use, too."""

from tests.commands.conftest import house, sandbox

__all__ = ["house", "sandbox"]
