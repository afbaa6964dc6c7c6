"""`python -m bpm.cli`, for where the console script is not on the path."""

from bpm.cli import main

main()
