"""Times minisql and a peer in turn, A B A B, and prints medians and ratios. Below 1 minisql is faster."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tabulate import tabulate


@dataclass(frozen=True)
class Measured:
    """The median seconds of both engines for one case."""

    name: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs


def measure(name: str, ours: Callable[[], object], theirs: Callable[[], object], repeat: int = 5) -> Measured:
    """Runs both once to warm up, then `repeat` times in turn; the two must give equal answers."""
    first, second = ours(), theirs()
    assert first == second, f"{name}: {first} is not {second}"
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeat):
        for run, seconds in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    return Measured(name, statistics.median(times[0]), statistics.median(times[1]))


def geometric_mean(ratios: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))


def print_table(title: str, measured: Sequence[Measured], peer: str) -> None:
    """Prints a table of the cases with the geometric mean of the ratios."""
    rows = [
        [case.name, f"{case.ours * 1000:.1f}", f"{case.theirs * 1000:.1f}", f"{case.ratio:.2f}"] for case in measured
    ]
    mean = geometric_mean([case.ratio for case in measured])
    rows.append(["geometric mean", "", "", f"{mean:.2f}"])
    print(f"\n{title}")
    print(
        tabulate(
            rows, ["", "minisql ms", f"{peer} ms", "ratio"], tablefmt="github", colalign=("left",) + ("right",) * 3
        )
    )
