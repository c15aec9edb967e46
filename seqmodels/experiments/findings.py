"""What several trainings say of a claim: their figures as arms beside each other, and when a difference between two counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from seqmodels.experiments.record import Factor, Outcome, Results, mean_and_spread

Verdict = Literal["supported", "partly", "no difference", "not supported", "costs", "costs nothing"]

OFF_THE_SCALE = 3  # times the best mean of a panel, where lower is better: such a figure would hide all other differences


@dataclass(frozen=True)
class Axis:
    """What is measured: as an axis calls it, the unit of a difference, and decimal places."""

    title: str
    unit: str
    places: int
    higher_is_better: bool = False

    def shown(self, value: float) -> str:
        """A figure to read: '2.92', '88,064'. What rounds to 0 has no sign."""
        text = f"{value:,.{self.places}f}".replace("-", "−")
        return text if text.strip("−0.,") else text.removeprefix("−")


AXES = {
    "accuracy": Axis("accuracy, %", "points of accuracy", 2, higher_is_better=True),
    "bits_per_character": Axis("bits a character", "bits a character", 3),
    "lost": Axis("points of accuracy lost", "points of accuracy", 2),
    "parameters": Axis("weights", "weights", 0),
    "seconds": Axis("CPU time, seconds", "seconds", 1),
    "epochs": Axis("epochs trained", "epochs", 0),
}


@dataclass(frozen=True)
class Arm:
    """Trainings that differ in nothing but their seed, and one figure of each, which `axis` names."""

    name: str
    axis: str
    outcomes: tuple[Outcome, ...]
    values: tuple[float, ...]
    faint: bool = False  # shown, and not compared

    @property
    def mean(self) -> float:
        return mean_and_spread(self.values)[0]

    @property
    def broken(self) -> int:
        """How many broke off."""
        return sum(bool(one.problem) for one in self.outcomes)

    @property
    def text(self) -> str:
        """Mean and spread: '2.92 ± 0.03'."""
        axis = AXES[self.axis]
        mean, spread = mean_and_spread(self.values)
        return f"{axis.shown(mean)} ± {axis.shown(spread)}" if len(self.values) > 1 else axis.shown(mean)


@dataclass(frozen=True)
class Panel:
    """Arms on one axis."""

    title: str
    arms: tuple[Arm, ...]

    @property
    def axis(self) -> Axis:
        return AXES[self.arms[0].axis]

    def best(self) -> Arm:
        """The arm with the best mean."""
        return best(self.arms)

    def scale(self) -> tuple[float, float]:
        """The least and the greatest figure that the axis shows; what lies beyond is off the scale."""
        values = [value for arm in self.arms for value in arm.values]
        if self.axis.higher_is_better:
            return min(values), max(values)
        most = OFF_THE_SCALE * self.best().mean
        return min(values), max((value for value in values if value <= most), default=max(values))

    def off(self, arm: Arm) -> int:
        """How many of an arm's trainings are off the scale."""
        return sum(value > self.scale()[1] for value in arm.values)


@dataclass(frozen=True)
class Finding:
    """A claim, and what the trainings say of it. A slip's claim says what goes wrong, and its verdict whether it costs anything."""

    name: str
    title: str
    claim: str
    verdict: Verdict
    sentence: str
    panels: tuple[Panel, ...]
    notes: tuple[str, ...] = ()


def arm(
    results: Results,
    name: str,
    *,
    axis: str | None = None,
    value: Callable[[Outcome], float] = lambda outcome: outcome.score,
    faint: bool = False,
    **factors: Factor,
) -> Arm:
    """The trainings with these factors; unless another figure is asked for, by their test score. ValueError if there are none."""
    found = trainings(results, **factors)
    return Arm(name, axis or found[0].metric, tuple(found), tuple(map(value, found)), faint)


def trainings(results: Results, **factors: Factor) -> list[Outcome]:
    """Those with these factors. ValueError if there are none."""
    found = results.where(**factors)
    if not found:
        wanted = ", ".join(f"{factor}={setting}" for factor, setting in factors.items())
        raise ValueError(f"the results hold no training with {wanted}: `seqmodels experiment {results.experiment}` makes them anew")
    return found


def better(one: Arm, other: Arm) -> int:
    """1 if the first is better, -1 if it is worse, 0 if no difference is to be seen.

    A difference counts if every training of one is better than every training of the other: if it is larger than the two spreads
    together, each measured around the middle of its range. A single seed has no spread, and shows no difference. Of two arms that
    have not broken off equally often, the one that did so more often is the worse.
    """
    if one.broken != other.broken:
        return 1 if one.broken < other.broken else -1
    if min(len(one.values), len(other.values)) < 2:
        return 0
    sign = 1 if AXES[one.axis].higher_is_better else -1
    ours, theirs = [sign * value for value in one.values], [sign * value for value in other.values]
    return int(min(ours) > max(theirs)) - int(min(theirs) > max(ours))


def best(arms: Iterable[Arm]) -> Arm:
    """The one with the best mean."""
    return max(arms, key=lambda arm: arm.mean if AXES[arm.axis].higher_is_better else -arm.mean)


def verdict(signs: Sequence[int]) -> Verdict:
    """Of comparisons in each of which the claim expects 1."""
    if all(sign == 1 for sign in signs):
        return "supported"
    if any(sign == 1 for sign in signs):
        return "partly"
    return "not supported" if any(sign == -1 for sign in signs) else "no difference"


def listed(names: Sequence[str]) -> str:
    """'GRU, LSTM and minGRU'; of none, nothing."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
