"""From what a file says to what can be run: a process checked and built from its elements."""
