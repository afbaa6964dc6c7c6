"""What every adapter of a kind must hold: suites that each of them inherits."""
