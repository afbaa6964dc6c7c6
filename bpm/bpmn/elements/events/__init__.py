"""Events: what starts, interrupts, ends and compensates."""
