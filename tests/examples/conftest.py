"""The example packages can be imported, as with PYTHONPATH."""

import sys
from pathlib import Path

ORDERS = Path(__file__).parents[2] / "docs" / "examples" / "orders"

sys.path.insert(0, str(ORDERS))
