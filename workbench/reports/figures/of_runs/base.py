"""What pictures of runs are drawn from, plain data all, and what each of them can do."""

import json
from abc import abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from store.rows import Row
from workbench.registry import Part
from workbench.reports.figures.base import Drawing

Floats = np.typing.NDArray[np.float64]
Plain = tuple[list[str], list[list[str]]]
"""Names of columns, and rows."""


@dataclass(frozen=True)
class Compared:
    """Two runs, query by query.

    Args:
        measure: of the values.
        names: of the baseline, then of the other run.
        qids: of all queries.
        values: of each query in both runs (queries x 2).
        texts: of the queries, for the table; may be empty.
        here: the query that is pointed to, by its place in `qids`.
    """

    measure: str
    names: tuple[str, str]
    qids: list[str]
    values: Floats
    texts: list[str] = field(default_factory=list)
    here: int | None = None

    @cached_property
    def deltas(self) -> Floats:
        """Of the other run against the baseline, per query; what differs by rounding alone is 0."""
        out: Floats = np.round(self.values[:, 1] - self.values[:, 0], 12)
        return out

    def plain(self) -> Plain:
        """A row for each query, the worst first, in full precision."""
        columns = ["qid", *self.names, "difference", *(["query"] if self.texts else [])]
        order = np.argsort(self.deltas, kind="stable").tolist()
        return columns, [
            [self.qids[i], *(repr(float(v)) for v in (*self.values[i], self.deltas[i])), *self.texts[i : i + 1]]
            for i in order
        ]


@dataclass(frozen=True)
class AtCutoffs:
    """Means of a measure at rank cut-offs.

    Args:
        measure: its name without a cut-off.
        names: of the runs.
        cutoffs: ranks, upwards.
        means: (runs x cutoffs).
    """

    measure: str
    names: list[str]
    cutoffs: list[int]
    means: Floats


@dataclass(frozen=True)
class Losses:
    """What was logged while a model was fine-tuned: its loss at steps, and in words what it learnt from."""

    name: str
    steps: list[int]
    losses: list[float]
    about: str

    @classmethod
    def of(cls, model: Row) -> "Losses":
        """Of a row of `store.browse.finetunes`."""
        counts: dict[str, Any] = json.loads(model["counts"] or "{}")
        told = [f"{name.replace('_', ' ')} {value:,g}" for name, value in counts.items()]
        words = [f"{model['examples']:,} examples", f"learning rate {model['learning_rate']:g}", *told]
        name = f"{model['system']} trained on {model['trained_on']}"
        return cls(name, [int(step) for step in model["at"]], list(model["losses"]), "; ".join(words))


class RunFigure(Part):
    """One sort of picture of runs, of data of the type `of_data`."""

    of_data: ClassVar[type]
    title: ClassVar[str]

    @abstractmethod
    def of(self, data: Any) -> Drawing | None:
        """What is to be drawn; None if there is nothing."""

    @abstractmethod
    def plain(self, data: Any) -> Plain:
        """What is plotted, as a table in full precision."""

    def queries(self, data: Any, x: float, y: float, among: list[int]) -> list[int]:
        """The queries nearest to a place in the panel's coordinates, as places in `qids`; several at one point.

        Args:
            data: what is drawn.
            x, y: of the place.
            among: the queries that may be found.
        """
        return []


def ladder(most: int) -> list[int]:
    """1, 2, 5, 10, 20, 50 ... up to a number."""
    out = [factor * 10**power for power in range(len(str(most))) for factor in (1, 2, 5)]
    return [each for each in out if each <= most]


def cutoffs(depth: int) -> list[int]:
    """The ranks at which a curve over cut-offs is computed: 1, 2, 3, 5, 7, 10, 20, 30 ... up to a depth."""
    out = [1, 2, 3, 5, 7, *(factor * 10**power for power in range(1, len(str(depth))) for factor in (1, 2, 3, 5, 7))]
    return [rank for rank in out if rank <= depth]
