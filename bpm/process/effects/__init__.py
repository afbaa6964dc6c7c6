"""Carries out what the engine asks for: a function for each effect, by whom it concerns.

`tasks`: commands, scripts, decisions and called processes; `waits`: rows for what an instance waits for;
`notifications`: the events that are published about an instance.
"""

from bpm.process.effects.carry_out import carry_out

__all__ = ["carry_out"]
