"""Values of runs, paired by query: what each comparison of them may use."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.evaluation.measures import threshold
from workbench.significance.resampling import Values

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Evaluations:
    """Values of runs on every query that one of them was judged on.

    Args:
        values: (queries x runs x measures); nan where a run was not evaluated on a query.
        qids, run_ids, measures: what the three axes are.
        concerns: whether a query is judged for a run, asked of it or not (queries x runs).
        no_result: whether a run found nothing for a query (queries x runs).
        highest: the highest label of each query's judgements.
    """

    values: Values
    qids: list[str]
    run_ids: list[str]
    measures: list[str]
    concerns: Mask
    no_result: Mask
    highest: NDArray[np.int64]

    @classmethod
    def of(
        cls, values: pa.Table, queries: pa.Table, unasked: pa.Table, run_ids: list[str], measures: list[str]
    ) -> "Evaluations":
        """From what was measured.

        Args:
            values: columns run_id, measure, qid, value.
            queries: columns run_id, qid, retrieved, highest (label).
            unasked: columns run_id, qid: judged, and never asked.
            run_ids, measures: which, and in which order.
        """
        runs, names = pa.array(run_ids, pa.string()), pa.array(measures, pa.string())
        queries, unasked = (table.filter(pc.is_in(table["run_id"], value_set=runs)) for table in (queries, unasked))
        every = [*queries["qid"].chunks, *unasked["qid"].cast(pa.string()).chunks]
        qids = pc.unique(pa.chunked_array(every, pa.string())).sort()

        def at(table: pa.Table, column: str, among: pa.Array) -> Any:
            return pc.index_in(table[column], value_set=among).to_numpy()

        cube = np.full((len(qids), len(runs), len(names)), np.nan)
        values = values.filter(
            pc.and_(
                pc.is_in(values["run_id"], value_set=runs),
                pc.and_(pc.is_in(values["measure"], value_set=names), pc.is_in(values["qid"], value_set=qids)),
            )
        )
        where = at(values, "qid", qids), at(values, "run_id", runs), at(values, "measure", names)
        cube[where] = values["value"].to_numpy()
        retrieved, highest = np.zeros(cube.shape[:2], np.int64), np.zeros(len(qids), np.int64)
        concerns = np.zeros(cube.shape[:2], np.bool_)
        retrieved[at(queries, "qid", qids), at(queries, "run_id", runs)] = queries["retrieved"].to_numpy()
        highest[at(queries, "qid", qids)] = queries["highest"].to_numpy()
        for table in (queries, unasked):
            concerns[at(table, "qid", qids), at(table, "run_id", runs)] = True
        return cls(cube, qids.to_pylist(), run_ids, measures, concerns, retrieved == 0, highest)

    @cached_property
    def position(self) -> dict[str, int]:
        """Of each run on its axis."""
        return {run_id: i for i, run_id in enumerate(self.run_ids)}

    def columns(self, run_ids: tuple[str, ...]) -> list[int]:
        """Of some runs on their axis."""
        return [self.position[run_id] for run_id in run_ids]

    def shared(self, run_ids: tuple[str, ...]) -> Mask:
        """The queries that all of these runs were evaluated on."""
        known: Mask = ~np.isnan(self.values[:, self.columns(run_ids)])
        return np.asarray(known.all(axis=(1, 2)))

    def only(self, measure: str) -> "Evaluations":
        """The same in one measure."""
        at = self.measures.index(measure)
        return replace(self, values=self.values[:, :, at : at + 1], measures=[measure])

    def left_out(self, run_ids: tuple[str, ...], kept: Mask) -> int:
        """Queries that are judged for one of these runs and not kept."""
        return int((self.concerns[:, self.columns(run_ids)].any(axis=1) & ~kept).sum())

    def paired(self) -> "Paired":
        """All runs, on the queries that they share."""
        kept = self.shared(tuple(self.run_ids))
        return Paired(
            self.values[kept],
            [qid for qid, keep in zip(self.qids, kept, strict=True) if keep],
            self.run_ids,
            self.measures,
            self.left_out(tuple(self.run_ids), kept),
            [self.no_relevant(name, kept) for name in self.measures],
        )

    def no_relevant(self, measure: str, kept: Mask) -> int:
        """Queries without a passage that is relevant to a measure: they count 0 in every run."""
        return int((self.highest[kept] < threshold(measure)).sum())


@dataclass(frozen=True)
class Paired:
    """Values of runs on the queries that all of them were evaluated on.

    Args:
        values: (queries x runs x measures).
        qids, run_ids, measures: what the three axes are.
        left_out: queries that some runs were judged on, and others not, or were never asked.
        no_relevant: queries without a passage that is relevant to each measure.
    """

    values: Values
    qids: list[str]
    run_ids: list[str]
    measures: list[str]
    left_out: int
    no_relevant: list[int]
