"""What a schema may cost."""

MAX_SCHEMA_BYTES = 64 * 1024
MAX_SCHEMA_STEPS = 150_000
"""Steps of compiling a schema."""
MAX_CHECK_STEPS = 400_000
"""Steps of checking one value."""
