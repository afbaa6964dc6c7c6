"""One file a target, with a function `fuzz(data)`: it draws what it needs from Hypothesis and raises at a finding."""
