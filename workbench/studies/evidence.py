"""What an analysis reads: runs of a grid's cells with their values, query by query."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from store import LswError, nearest
from workbench.comparison.paired import Evaluations, Mask
from workbench.significance.resampling import Values
from workbench.varieties import Pair

Level = bool | int | float | str
"""A level of a factor: a value, or the name of several; a list is written as JSON."""


@dataclass(frozen=True)
class Observed:
    """One run of one cell, and whose it is. A run that several cells share is there for each.

    Args:
        run_id: of the run.
        cell: the cell's number.
        levels: of the cell, by factor.
        system, trained_on, seed, query_variety, document_variety: of the run; `trained_on` is a training's name.
    """

    run_id: str
    cell: int
    levels: Mapping[str, Level]
    system: str
    trained_on: str | None
    seed: int | None
    query_variety: str
    document_variety: str

    @property
    def pair(self) -> str:
        """Of the queries and the passages; high-resource queries ask over their own."""
        return str(Pair(self.query_variety, self.document_variety))


@dataclass(frozen=True)
class Evidence:
    """Runs of the cells that are there.

    Args:
        evaluations: their values, in one measure or more.
        runs: which they are, by cell.
        topics: the topic of each qid; a query without one is its own.
        factors: the levels of each factor, in the order of the grid.
        pairs: that are tested, low-resource first.
        trainings: the pairs that each training saw, by its name; in `varied` they are not the same in all cells, and
            these are those of any.
        control: the training that others are held against, if there is one.
        known: how many training queries each training may see at most, by its name.
        missing: cells of the grid that have not been run.
        tables: what an analysis reads beside runs, by name (`similarity`, `query_similarity`).
    """

    evaluations: Evaluations
    runs: list[Observed]
    topics: dict[str, str]
    factors: dict[str, list[Level]]
    pairs: list[str] = field(default_factory=list)
    trainings: dict[str, list[str]] = field(default_factory=dict)
    varied: frozenset[str] = frozenset()
    control: str | None = None
    known: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    tables: dict[str, pa.Table] = field(default_factory=dict)

    @property
    def measure(self) -> str:
        """The first."""
        return self.evaluations.measures[0]

    @property
    def cells(self) -> int:
        """How many cells are there."""
        return len({run.cell for run in self.runs})

    def factor(self, name: str) -> str:
        """The full name of a factor, from itself or from its last part (`queries` of `fine-tuning.queries`).

        Raises:
            LswError: there is none, or there are several.
        """
        return named_factor(name, list(self.factors))

    def values(self, run_id: str) -> Values:
        """The first measure of a run on every query of the axis (queries); nan where it was not evaluated."""
        out: Values = self.evaluations.values[:, self.evaluations.position[run_id], 0]
        return out

    @cached_property
    def units(self) -> list[str]:
        """The topic of every query of the axis."""
        return [self.topics.get(qid, qid) for qid in self.evaluations.qids]

    def shared(self, run_ids: list[str]) -> Mask:
        """The queries (of the axis) that all of these runs were evaluated on."""
        return self.evaluations.shared(tuple(run_ids))

    def base(self, run: Observed) -> Observed | None:
        """The run of the same system before training, in the same cell."""
        same = (
            other for other in self.runs
            if other.trained_on is None and (other.cell, other.system, other.query_variety, other.document_variety)
            == (run.cell, run.system, run.query_variety, run.document_variety)
        )  # fmt: skip
        return next(same, None)

    def gains(self, run_id: str, base_id: str) -> Values:
        """Differences of two runs on every query of the axis (queries); nan where one was not evaluated."""
        out: Values = np.round(self.values(run_id) - self.values(base_id), 12)
        return out


def unchanging(at: Mapping[tuple[Any, ...], Hashable], axes: int) -> list[int]:
    """Which factors change nothing: what is at a place is the same at every level of them, and at two at least.

    Args:
        at: what is at each place that is there (a run's id); a place is a level of each factor, and what else there is.
        axes: how many of a place's first items are levels.
    """
    gone: list[int] = []
    for axis in range(axes):
        by_rest, levels = dict[tuple[Any, ...], set[Hashable]](), dict[Hashable, set[Any]]()
        for place, what in at.items():
            rest = tuple(item for i, item in enumerate(place) if i != axis and i not in gone)
            by_rest.setdefault(rest, set()).add(what)
            levels.setdefault(what, set()).add(place[axis])
        if all(len(same) == 1 for same in by_rest.values()) and any(len(own) > 1 for own in levels.values()):
            gone.append(axis)
    return gone


def named_factor(name: str, known: list[str]) -> str:
    """The full name of a factor, from itself or from its last part.

    Raises:
        LswError: there is none, or there are several.
    """
    if name in known:
        return name
    matching = [full for full in known if full.rpartition(".")[2] == name]
    if len(matching) == 1:
        return matching[0]
    title = f"Several factors end in '{name}'." if matching else f"The grid has no factor '{name}'."
    raise LswError(title, cure=nearest(name, matching or known))
