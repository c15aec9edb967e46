"""What an experiment leaves: a small file of JSON, with its recipe, its date, and a line for each model that was trained."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from seqmodels.fields import Count, Finite, Range, validated
from seqmodels.files import naming, write_whole

Factor = str | int | float | bool

_RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Point:
    """A training after an epoch: losses a token or sequence, the dev score, and where it was asked for the test score."""

    train: Finite
    dev: Finite | None
    score: Finite
    test: Finite | None = None


@dataclass(frozen=True)
class Outcome:
    """One model, trained and scored on its test split. `problem` says why its training broke off, if it did."""

    name: str
    factors: Mapping[str, Factor]  # what was varied, such as cell and seed
    settings: Mapping[str, str]  # as a link has them, so that the training can be repeated on the page
    metric: str
    score: Finite
    scores: Mapping[str, Finite]
    curve: tuple[Point, ...]
    parameters: Count
    seconds: Annotated[float, Range(0)]  # of this process's CPU
    problem: str = ""


@dataclass(frozen=True)
class Results:
    """All outcomes of an experiment. `date` is that of the last one, such as 2026-11-26."""

    experiment: str
    recipe: str
    date: str
    versions: Mapping[str, str]
    outcomes: tuple[Outcome, ...] = ()

    def where(self, **factors: Factor) -> list[Outcome]:
        """Those with these factors."""
        return [one for one in self.outcomes if all(one.factors.get(name) == value for name, value in factors.items())]

    def values(self, factor: str) -> list[Any]:
        """What a factor was set to, in the order of the trials."""
        return list(dict.fromkeys(one.factors[factor] for one in self.outcomes if factor in one.factors))


def results_path(experiment: str) -> Path:
    """Where the results that come with the package are."""
    return _RESULTS / f"{experiment}.json"


def read_results(path: Path) -> Results:
    """ValueError if the file is missing or damaged."""
    try:
        return validated(Results, json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ValueError(f"the results in {path.name} cannot be read ({error}): `seqmodels experiment` makes them anew") from None


def write_results(path: Path, results: Results) -> None:
    """One outcome a line, so that a difference between two versions can be read."""
    head = {name: value for name, value in asdict(results).items() if name != "outcomes"}
    lines = ",\n".join(_line(outcome) for outcome in results.outcomes)
    text = json.dumps(head, indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f'{text.rstrip().removesuffix("}").rstrip()},\n "outcomes": [\n{lines}\n ]\n}}\n'.encode())


def append(path: Path, outcome: Outcome) -> None:
    """Add a line to what an unfinished experiment has so far, whole or not at all. One that a kill has cut short stays a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), path.open("ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        line = f"{_line(outcome)}\n".encode()
        left = line if file.read(1) in (b"", b"\n") else b"\n" + line
        try:
            while left:
                left = left[file.write(left) :]
        except OSError:
            file.truncate(size)
            raise


def read_lines(path: Path) -> list[Outcome]:
    """What `append` has written. A last line that a kill has cut short is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(validated(Outcome, json.loads(line)))
        except ValueError:
            continue
    return found


def mean_and_spread(values: Iterable[float]) -> tuple[float, float]:
    """The mean, and half of the way from the least to the greatest."""
    found: Sequence[float] = list(values)
    return sum(found) / len(found), (max(found) - min(found)) / 2


def _line(outcome: Outcome) -> str:
    return json.dumps(_rounded(asdict(outcome)), ensure_ascii=False, separators=(",", ":"))


def _rounded(value: Any) -> Any:
    """Six digits are enough of any figure."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
