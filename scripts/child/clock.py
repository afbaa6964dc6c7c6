"""The clock and the dice of a run: both given, so that a run can be replayed."""

import datetime as real
import random
import uuid
from typing import Any

MOMENT = [real.datetime.fromtimestamp(0, real.UTC)]
"""The moment the run happens at, in UTC; it does not move while the script runs."""

DICE = random.Random(0)  # noqa: S311  (a script's own randomness, replayable on purpose)


def reset(now: str, seed: int) -> None:
    """Set the moment (ISO 8601 with offset) and the seed of the next run."""
    MOMENT[0] = real.datetime.fromisoformat(now).astimezone(real.UTC)
    DICE.seed(seed)


def now() -> "Datetime":
    """Return the moment of the run, aware, in UTC."""
    return Datetime.now(real.UTC)


def uuid4() -> uuid.UUID:
    """Return a random UUID drawn from the run's seed."""
    return uuid.UUID(int=DICE.getrandbits(128), version=4)


def new_random(seed: Any = None) -> random.Random:
    """Return a generator of its own, seeded from the run's dice unless told otherwise."""
    return random.Random(DICE.getrandbits(64) if seed is None else seed)  # noqa: S311


class _StandsForParent(type):
    """Makes a class stand for its parent: instances of the parent count as its own."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__bases__[0])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__bases__[0])


class Date(real.date, metaclass=_StandsForParent):
    """`datetime.date` whose today is the run's."""

    @classmethod
    def today(cls) -> "Date":
        """Return the date of the run in UTC."""
        moment = MOMENT[0]
        return cls(moment.year, moment.month, moment.day)


class Datetime(real.datetime, metaclass=_StandsForParent):
    """`datetime.datetime` whose now is the run's."""

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> "Datetime":
        """Return the moment of the run: naive UTC, or aware in the given zone."""
        moment = MOMENT[0].astimezone(tz) if tz is not None else MOMENT[0].replace(tzinfo=None)
        return cls.fromisoformat(moment.isoformat()).replace(tzinfo=moment.tzinfo)

    @classmethod
    def today(cls) -> "Datetime":
        """Return the moment of the run, naive, in UTC."""
        return cls.now()

    @classmethod
    def utcnow(cls) -> "Datetime":
        """Return the moment of the run, naive, in UTC."""
        return cls.now()


for _class, _name in ((Date, "date"), (Datetime, "datetime")):
    _class.__name__ = _class.__qualname__ = _name
    _class.__module__ = "datetime"
