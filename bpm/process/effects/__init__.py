"""Carries out what the engine asks for: a function for each effect, by whom it concerns.

`work` is what machines do, `waits` what others are waited for with, `news` what others are told.
"""

from bpm.process.effects.carry_out import carry_out

__all__ = ["carry_out"]
