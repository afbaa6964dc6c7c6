"""How many requests wait, and how many ended badly."""
