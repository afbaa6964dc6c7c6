"""What says that the machine gives no more is told from other errors."""

import errno

import pytest

from bpm.shortage import shortage_in


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        OSError(errno.ENOMEM, "no memory"),
        SystemError("error return without exception set"),
    ],
    ids=repr,
)
def test_a_shortage_is_found_below_what_it_caused(error: Exception) -> None:
    """Also where the interpreter had no memory left to say so."""
    above = ImportError("a part can't be loaded")
    above.__cause__ = error
    assert shortage_in(error) is error
    assert shortage_in(above) is error


@pytest.mark.parametrize("error", [ValueError(), RuntimeError("no"), OSError(errno.ENOSPC, "full"), SystemError("no")])
def test_other_errors_are_none(error: Exception) -> None:
    """They keep their traceback."""
    assert shortage_in(error) is None
