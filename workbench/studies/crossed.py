"""Runs of a grid crossed with models, languages and topics: coefficients, cell means, shares of variance.

The model is y ~ terms + model + language + topic. Topics need no columns: within a language every run has the same
queries, so that their effects are the same in each cell and cancel.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.significance.resampling import Values
from workbench.studies.design import Model

Index = NDArray[np.int64]
_RIDGE = 1e-9


@dataclass(frozen=True)
class Crossed:
    """What was measured, one system's runs.

    Args:
        cell, model, language: the number of each run's (runs); each of them counts from 0 without gaps.
        values: for each language, of its queries and its runs, these in order (queries x runs of the language).
        topics: for each language, the number of each query's topic.
        same: a number that runs share which are one and the same, in several cells (runs); None if there are none.
    """

    cell: Index
    model: Index
    language: Index
    values: list[Values]
    topics: list[Index]
    same: Index | None = None

    @cached_property
    def counts(self) -> list[int]:
        """Languages, topics, models."""
        topics = int(max(index.max() for index in self.topics)) + 1
        return [len(self.values), topics, int(self.model.max()) + 1]

    @cached_property
    def blocks(self) -> Values:
        """Columns of languages and models, without the first of each (runs x columns)."""
        return np.hstack([np.eye(self.counts[0])[self.language][:, 1:], np.eye(self.counts[2])[self.model][:, 1:]])

    @cached_property
    def whole(self) -> bool:
        """Whether every model and language is in every cell, once."""
        cells = int(self.cell.max()) + 1
        places = {*zip(self.cell.tolist(), self.model.tolist(), self.language.tolist(), strict=True)}
        return len(self.cell) == len(places) == cells * self.counts[0] * self.counts[2]

    @cached_property
    def _sums(self) -> list[tuple[Index, Values, Values]]:
        """For each language: its topics, the sum of each in each run, and how many queries each has."""
        out = []
        for values, topics in zip(self.values, self.topics, strict=True):
            own, index = np.unique(topics, return_inverse=True)
            sums = np.zeros((len(own), values.shape[1]))
            np.add.at(sums, index, values)
            out.append((own, sums, np.bincount(index).astype(np.float64)))
        return out

    def weighted(self, weights: list[Values]) -> tuple[Values, Values]:
        """The mean and the weight of each run in each sample (samples x runs); every language weighs alike.

        Args:
            weights: of languages, topics and models (samples x each).
        """
        of_language, of_topic, of_model = weights
        means = np.zeros((len(of_topic), len(self.cell)))
        weight = of_language[:, self.language] * of_model[:, self.model]
        for number, (own, sums, sizes) in enumerate(self._sums):
            runs = np.flatnonzero(self.language == number)
            drawn = of_topic[:, own]
            size = drawn @ sizes
            some = size > 0  # else none of the language's topics was drawn
            means[:, runs] = np.divide(
                drawn @ sums, size[:, None], out=np.zeros((len(size), len(runs))), where=some[:, None]
            )
            weight[:, runs] *= some[:, None]
        return means, weight

    def cell_means(self, weights: list[Values]) -> Values:
        """Mean over languages and models in each cell (samples x cells); nan where a sample has none."""
        means, weight = self.weighted(weights)
        cells = np.eye(int(self.cell.max()) + 1)[self.cell]
        total = weight @ cells
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 0, (weight * means) @ cells / total, np.nan)

    def coefficients(self, model: Model, weights: list[Values]) -> Values:
        """Least squares: of every column of the model (samples x columns); nan where a sample does not determine it.

        Args:
            model: over the runs.
            weights: as `weighted`.
        """
        k = model.columns.shape[1]
        if self.whole:  # the cells' means hold all
            first = np.unique(self.cell, return_index=True)[1]
            solve = np.linalg.pinv(np.column_stack([np.ones(len(first)), model.columns[first]]))[1:]
            return self.cell_means(weights) @ solve.T
        means, weight = self.weighted(weights)
        columns = np.column_stack([model.columns, np.ones(len(means[0])), self.blocks])
        p = columns.shape[1]
        squares = (columns[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
        products = (weight @ squares).reshape(-1, p, p)
        ridge = _RIDGE * np.trace(products, axis1=1, axis2=2)[:, None, None] / p
        inverse = np.linalg.inv(products + ridge * np.eye(p))
        out: Values = np.einsum("rij,rj->ri", inverse, (weight * means) @ columns)[:, :k]
        # What is not determined is drawn to 0 by the ridge alone: there the ridge is not small beside what is known.
        lost = ridge[:, :, 0] * np.diagonal(inverse, axis1=1, axis2=2)[:, :k] > 1e-4
        out[lost] = np.nan
        return out

    def changes(self, levels: Index) -> bool:
        """Whether a factor changes a run: not if it is one and the same at all levels, whatever the others' are.

        Args:
            levels: the factor's level in each run, and one number for the levels of all others (runs x 2).
        """
        if self.same is None:
            return True
        found: dict[tuple[int, ...], dict[int, int]] = {}
        for i, (own, others) in enumerate(levels.tolist()):
            place = others, int(self.model[i]), int(self.language[i])
            found.setdefault(place, {})[own] = int(self.same[i])
        several = [runs for runs in found.values() if len(runs) > 1]
        return not several or any(len({*runs.values()}) > 1 for runs in several)

    def once(self, model: Model) -> tuple["Crossed", Model]:
        """The same with each run there once, its columns the mean of those of the cells that it is in.

        Args:
            model: over the runs.
        """
        if self.same is None:
            return self, model
        _, first, number, times = np.unique(self.same, return_index=True, return_inverse=True, return_counts=True)
        if (times == 1).all():
            return self, model
        columns = np.zeros((len(first), model.columns.shape[1]))
        np.add.at(columns, number, model.columns)
        order = np.argsort(first)
        kept = first[order]
        values = [values[:, np.isin(np.flatnonzero(self.language == i), kept)] for i, values in enumerate(self.values)]
        fewer = Crossed(self.cell[kept], self.model[kept], self.language[kept], values, self.topics)
        return fewer, replace(model, columns=(columns / times[:, None])[order])

    def shares(self, model: Model) -> list[tuple[float, float]]:
        """Omega squared of each term (Hays 1963): of all variance, and partial, of its own and the residual's.

        (SS - df MSE) / (SS_total + MSE) and (SS - df MSE) / (SS + (n - df) MSE), with n values of queries in runs.
        Sums of squares are of type III (each term given all others), within queries, with the models as blocks;
        SS_total is about the grand mean. What is left, the interactions of terms with languages, models and topics
        among it, is the residual. Like a variance without bias they may be below 0. Both are nan of a term that cannot
        be told apart. Every run is taken for one of its own (`once`).

        Args:
            model: over the runs.
        """
        columns = np.column_stack([model.columns, np.eye(self.counts[2])[self.model][:, 1:]])
        p = columns.shape[1]
        products, right, squares, n, blocks, total, every = np.zeros((p, p)), np.zeros(p), 0.0, 0, 0, 0.0, 0.0
        for number, values in enumerate(self.values):
            own = columns[self.language == number]
            own = own - own.mean(axis=0)
            within = values - values.mean(axis=1, keepdims=True)
            products += len(values) * own.T @ own
            right += own.T @ within.sum(axis=0)
            squares += float((within**2).sum())
            n, blocks, total, every = (
                n + values.size,
                blocks + len(values),
                total + values.sum(),
                every + (values**2).sum(),
            )
        inverse = np.linalg.pinv(products, hermitian=True)
        beta = inverse @ right
        left = n - blocks - int(np.linalg.matrix_rank(products, hermitian=True))
        error = max(squares - float(right @ beta), 0.0) / left if left > 0 else np.nan
        whole = every - total**2 / n
        known, out = inverse @ products, list[tuple[float, float]]()
        for _, span in model.terms:
            if not np.allclose(known[span, span], np.eye(span.stop - span.start), atol=1e-6):
                out.append((np.nan, np.nan))
                continue
            of_term = beta[span] @ np.linalg.solve(inverse[span, span], beta[span])
            df = span.stop - span.start
            above = of_term - df * error
            with np.errstate(divide="ignore", invalid="ignore"):
                out.append((float(above / (whole + error)), float(above / (of_term + (n - df) * error))))
        return out
