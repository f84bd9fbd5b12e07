"""Factors of a grid as columns of a linear model, and which of its terms can be told apart."""

import json
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from store import LswError
from workbench.significance.resampling import Values
from workbench.studies.evidence import Level

Coding = Literal["linear", "log2", "nominal"]
UNIT, DOUBLING = "per unit", "per doubling"
"""What the coefficient of a number is told as."""


@dataclass(frozen=True)
class Factor:
    """A factor and its columns.

    Args:
        name: its full name in the grid.
        coding: a number, the logarithm of one, or names. Numbers are centred on the mean of the levels; two names are
            -1/2 and 1/2, so that their coefficient is a difference; more have sum contrasts.
        levels: in the order of the grid.
        columns: of each level (levels x columns).
        contrasts: what is told, as sums of the columns' coefficients (contrasts x columns).
        labels: of the contrasts.
    """

    name: str
    coding: Coding
    levels: list[Level]
    columns: Values
    contrasts: Values
    labels: list[str]

    @classmethod
    def of(cls, name: str, coding: Coding, levels: list[Level]) -> "Factor":
        """A factor with these levels.

        Raises:
            LswError: it has a single level; a level is no number, or not above 0, where the coding needs one.
        """
        if len(levels) < 2:
            raise LswError(
                f"The factor '{name}' has a single level.",
                cure="A factor needs two levels at least: add one to the grid, or leave it out of `factors`.",
            )
        if coding != "nominal":
            x = np.array([_number(name, coding, level) for level in levels])
            x = np.log2(x) if coding == "log2" else x
            label = DOUBLING if coding == "log2" else UNIT
            return cls(name, coding, levels, (x - x.mean())[:, None], np.eye(1), [label])
        names = [str(level) for level in levels]
        if len(levels) == 2:
            return cls(name, coding, levels, np.array([[-0.5], [0.5]]), np.eye(1), [f"{names[1]} - {names[0]}"])
        sums = np.vstack([np.eye(len(levels) - 1), -np.ones(len(levels) - 1)])
        return cls(name, coding, levels, sums, sums, [f"{level} - mean" for level in names])


def _number(name: str, coding: Coding, level: Level) -> float:
    """What a level counts; a list (written as JSON) counts its items."""
    number: float | None = None
    if isinstance(level, str) and level.startswith("["):
        number = float(len(json.loads(level)))
    elif isinstance(level, int | float) and not isinstance(level, bool):
        number = float(level)
    if number is None or not np.isfinite(number):
        raise LswError(
            f"The level {json.dumps(level)} of the factor '{name}' is no number.",
            cure=f'Call the factor "nominal", or give numbers: it is "{coding}".',
        )
    if coding == "log2" and number <= 0:
        raise LswError(
            f"The level {level} of the factor '{name}' has no logarithm.",
            cure='Call the factor "linear", or leave the level out of the grid.',
        )
    return number


@dataclass(frozen=True)
class Term:
    """A main effect or an interaction."""

    factors: tuple[Factor, ...]

    @property
    def name(self) -> str:
        """Of its factors."""
        return " x ".join(f"log2({f.name})" if f.coding == "log2" else f.name for f in self.factors)

    def columns(self, at: list[NDArray[np.int64]]) -> Values:
        """Its columns (n x columns).

        Args:
            at: the number of the level of each observation, for each of its factors.
        """
        out = np.ones((len(at[0]), 1))
        for factor, index in zip(self.factors, at, strict=True):
            own = factor.columns[index]
            out = (out[:, :, None] * own[:, None, :]).reshape(len(out), -1)
        return out

    def contrasts(self) -> list[tuple[dict[str, str], Values]]:
        """What is told of it: a label for each factor, and the weights of its columns' coefficients."""
        out = []
        for rows in product(*(range(len(factor.labels)) for factor in self.factors)):
            weights = np.ones(1)
            for factor, row in zip(self.factors, rows, strict=True):
                weights = np.outer(weights, factor.contrasts[row]).ravel()
            labels = {f.name: f.labels[row] for f, row in zip(self.factors, rows, strict=True)}
            out.append((labels, weights))
        return out


def terms_of(factors: list[Factor], order: int) -> list[Term]:
    """Main effects, then interactions of up to so many factors."""
    return [Term(chosen) for size in range(1, order + 1) for chosen in combinations(factors, size)]


@dataclass(frozen=True)
class Model:
    """The terms of a linear model, over its observations.

    Args:
        terms: that can be told apart, with the span of each in `columns`.
        columns: of all terms that are in the model (n x columns), those that cannot be told apart among them.
        untold: the terms that cannot be told apart from others, and why.
    """

    terms: list[tuple[Term, slice]]
    columns: Values
    untold: list[tuple[Term, str]]


def model(terms: list[Term], at: dict[str, NDArray[np.int64]], blocks: Values) -> Model:
    """Which terms can be told apart.

    An interaction that cannot is taken as none, the highest first. A main effect that cannot stays in the model, so
    that the others are still free of it.

    Args:
        terms: main effects before interactions.
        at: the number of the level of each observation, by factor.
        blocks: columns of what else is in the model (n x columns): languages, seeds.
    """
    kept = [(term, term.columns([at[f.name] for f in term.factors])) for term in terms]
    untold: list[tuple[Term, str]] = []
    while True:
        groups = [columns for _, columns in kept]
        confounded = _confounded([np.column_stack([np.ones(len(blocks)), blocks]), *groups])
        highest = max((len(kept[i - 1][0].factors) for i in confounded if i), default=0)
        if not highest:
            spans = np.cumsum([0] + [columns.shape[1] for columns in groups])
            whole = np.hstack(groups) if groups else np.zeros((len(blocks), 0))
            return Model([(t, slice(*spans[i : i + 2])) for i, (t, _) in enumerate(kept)], whole, untold)
        off = [i for i in confounded if i and len(kept[i - 1][0].factors) == highest]
        for i in off:
            untold.append((kept[i - 1][0], _why(kept[i - 1][0], [kept[j - 1][0] for j in confounded[i] if j])))
        if highest == 1:
            spans = np.cumsum([0] + [columns.shape[1] for columns in groups])
            unknown = {kept[i - 1][0].factors[0].name: kept[i - 1][0].name for i in off}
            told = []
            for i, (term, _) in enumerate(kept):
                of = [unknown[f.name] for f in term.factors if f.name in unknown]
                if not of:
                    told.append((term, slice(*spans[i : i + 2])))
                elif i + 1 not in off:
                    untold.append((term, f"the effect of {' and of '.join(of)} cannot be told apart from others"))
            return Model(told, np.hstack(groups), untold)
        kept = [pair for i, pair in enumerate(kept) if i + 1 not in off]


def _why(term: Term, others: list[Term]) -> str:
    if others:
        return f"cannot be told apart from {', '.join(other.name for other in others)} in the cells that are there"
    return f"{term.name} has one level, or is one with languages or seeds, in the cells that are there"


def _confounded(groups: list[Values]) -> dict[int, list[int]]:
    """Groups of columns whose coefficients are not determined, and the other groups that each is mixed with."""
    whole = np.hstack(groups)
    length = np.linalg.norm(whole, axis=0)
    whole = whole / np.where(length > 0, length, 1)
    sizes, vectors = np.linalg.eigh(whole.T @ whole)
    null = vectors[:, sizes <= 1e-9 * sizes.max(initial=0)].T
    spans = np.cumsum([0] + [columns.shape[1] for columns in groups])
    # How far the null space reaches into each group, and, projected on a group, into the others.
    inside = null.T @ null
    block = [slice(*spans[i : i + 2]) for i in range(len(groups))]
    off = [i for i, own in enumerate(block) if np.abs(inside[own, own]).max(initial=0) > 1e-7]
    return {i: [j for j in off if j != i and np.abs(inside[block[i], block[j]]).max(initial=0) > 1e-7] for i in off}
