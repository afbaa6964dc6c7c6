"""Fuzzers of what reads foreign bytes; never part of the tests."""
