"""Numbers as JSON writes them, for property tests of the paths they take."""

from decimal import Decimal

from hypothesis import Phase, given, settings
from hypothesis import strategies as st


def _written(sign: str, whole: str, fraction: str) -> str:
    return f"{sign}{whole.lstrip('0') or '0'}.{fraction}"


SIGNS = st.sampled_from(["", "-"])

PLAIN = st.builds(
    _written,
    SIGNS,
    st.text("0123456789", min_size=1, max_size=34),
    st.one_of(
        st.text("0123456789", min_size=1, max_size=21),
        st.builds("{}{}".format, st.text("0", max_size=20), st.from_regex("[1-9][0-9]{0,40}", fullmatch=True)),
        st.text("0", min_size=1, max_size=21),
    ),
)
"""Amounts as people write them: with a point and without an exponent, zero and minus zero among them."""

WITH_EXPONENT = st.builds("{}{}{}".format, PLAIN, st.sampled_from(["e", "E", "e+", "E-", "e-"]), st.integers(0, 260))
"""The same with an exponent."""

WHOLE = st.builds(
    "{}{}".format, SIGNS, st.one_of(st.from_regex("[1-9][0-9]{0,80}", fullmatch=True), st.just("1" + "0" * 200))
)
"""Integers, many larger than any machine's."""

ANY = st.one_of(PLAIN, WITH_EXPONENT, WHOLE)


def is_kept(written: str, again: str) -> bool:
    """Tell whether a number that went out is the one that came in: digit for digit, if it came without an exponent.

    One with an exponent goes out as the same number; zero may lose its sign then.
    """
    return again == written if "e" not in written.lower() else Decimal(again) == Decimal(written)


def many(count: int) -> list[str]:
    """Return numbers of every kind, for what is too slow to be asked about each of them."""
    found: list[str] = []

    @settings(max_examples=count, database=None, phases=[Phase.generate])
    @given(ANY)
    def draw(number: str) -> None:
        found.append(number)

    draw()
    return found
