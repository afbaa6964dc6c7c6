"""What server and child both know: frames, limits, values and the language's tables."""
