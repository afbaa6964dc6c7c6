"""What the product can do: one folder an area, each message with its handler beside it."""
