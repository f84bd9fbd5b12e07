"""What the pictures of compared runs are drawn from, and the list beside each."""

import numpy as np
from rich.text import Text

from store.rows import Row
from tui.frame.rows import Column, Rows, widest
from tui.study import LETTERS, ComparedRuns, label
from workbench.comparison.words import signed
from workbench.reports.figures.of_runs.base import AtCutoffs, Compared, cutoffs

Floats = np.typing.NDArray[np.float64]


def lettered(comparison: ComparedRuns) -> list[str]:
    """The runs' names, each after its letter."""
    return [f"{LETTERS[i]} {label(run)}" for i, run in enumerate(comparison.runs)]


def ranks(comparison: ComparedRuns) -> list[int]:
    """The cut-offs of its curve."""
    return cutoffs(max(run["depth"] for run in comparison.runs))


def against(comparison: ComparedRuns, chosen: int, here: int | None) -> Compared:
    """The chosen run and the first, query by query; `here` is pointed to."""
    names = lettered(comparison)
    values = np.stack([comparison.values(0), comparison.values(chosen)], axis=1)
    texts = [comparison.queries[chosen].get(qid, "") for qid in comparison.qids]
    return Compared(comparison.choice.measure, (names[0], names[chosen]), comparison.qids, values, texts, here)


def at_cutoffs(comparison: ComparedRuns, means: Floats) -> AtCutoffs:
    """The runs' means at `ranks`."""
    cutoffs = np.array(ranks(comparison))
    depths = np.array([run["depth"] for run in comparison.runs])
    # Beyond a run's depth nothing is known of it.
    means = np.where(cutoffs[None, :] <= depths[:, None], means, np.nan)
    return AtCutoffs(comparison.choice.measure.partition("@")[0], lettered(comparison), cutoffs.tolist(), means)


def of_queries(data: Compared, order: list[int]) -> Rows:
    """Queries with their differences, those at the places in `order`."""

    def cells(row: int) -> list[Text]:
        i = order[row]
        return [Text(data.qids[i]), Text(signed(data.deltas[i])), Text(data.texts[i])]

    delta = Column(f"{data.names[1][0]}-{data.names[0][0]}", 6, right=True)
    return Rows([Column("qid", widest(data.qids, 12), middle=True), delta, Column("query")], len(order), cells)


def of_means(data: AtCutoffs) -> Rows:
    """Cut-offs with the mean of each run."""

    def cells(row: int) -> list[Text]:
        return [
            Text(f"{data.cutoffs[row]:,}"),
            *(Text("-" if np.isnan(mean) else f"{mean:.3f}") for mean in data.means[:, row]),
            Text(),
        ]

    letters = [Column(name[0], 5, right=True) for name in data.names]
    return Rows([Column("k", 5, right=True), *letters, Column("")], len(data.cutoffs), cells)


def of_models(models: list[Row]) -> Rows:
    """Fine-tuned models with their last loss."""

    def cells(row: int) -> list[Text]:
        model = models[row]
        return [Text(model["system"]), Text(model["trained_on"]), Text(f"{model['losses'][-1]:.3f}")]

    columns = [Column("model", middle=True), Column("trained on", 10), Column("last", 7, right=True)]
    return Rows(columns, len(models), cells)
