"""What a process counts about itself, and how Prometheus reads it.

Values of labels are few and never come from what strangers send. The parts of the server count for themselves; the
address `/metrics` puts everything together (`bpm.web.metrics`).
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Protocol

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, Mapping[str, str], float]
"""What is added to the metric's name, the labels, and the value."""


class Metric(Protocol):
    """A name with its samples."""

    name: str
    kind: str
    text: str
    """One sentence for people."""

    def samples(self) -> Iterator[Sample]:
        """Yield what it stands at."""
        ...


class Counter:
    """Only grows, by the values of its labels."""

    kind = "counter"

    def __init__(self, name: str, text: str, *labels: str) -> None:
        """Begin with no sample, or with 0 where there are no labels."""
        self.name = name
        self.text = text
        self._labels = labels
        self._counts: dict[tuple[str, ...], float] = {} if labels else {(): 0}

    def add(self, *values: str, by: float = 1) -> None:
        """Count once, or by more; one value for each label."""
        self._counts[values] = self._counts.get(values, 0) + by

    def samples(self) -> Iterator[Sample]:
        """See `Metric.samples`."""
        for values, count in list(self._counts.items()):
            yield "", dict(zip(self._labels, values, strict=True)), count


class Gauge:
    """Stands at something at the moment it is asked."""

    kind = "gauge"

    def __init__(self, name: str, text: str, values: Mapping[str, float] | float | None, label: str = "") -> None:
        """Take its value, or a value by its label; None is unknown and shows no sample."""
        self.name = name
        self.text = text
        self._values = values
        self._label = label

    def samples(self) -> Iterator[Sample]:
        """See `Metric.samples`."""
        if isinstance(self._values, Mapping):
            yield from (("", {self._label: name}, value) for name, value in self._values.items())
        elif self._values is not None:
            yield "", {}, self._values


class Histogram:
    """How often something took how much."""

    kind = "histogram"

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        """Take the upper bounds of its buckets; one without a bound is added."""
        self.name = name
        self.text = text
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self) -> Iterator[Sample]:
        """See `Metric.samples`."""
        counts = list(accumulate(self._counts))
        for bound, count in zip((*map(_number, self._bounds), "+Inf"), counts, strict=True):
            yield "_bucket", {"le": bound}, count
        yield "_sum", {}, self._sum
        yield "_count", {}, counts[-1]


def exposition(metrics: Iterable[Metric]) -> str:
    """Return the text that Prometheus reads (https://prometheus.io/docs/instrumenting/exposition_formats/)."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.text}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for ending, labels, value in metric.samples():
        shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{metric.name}{ending}{f'{{{shown}}}' if shown else ''} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(float(value))
