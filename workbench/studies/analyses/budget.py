"""Methods side by side under a budget: areas, what noise costs them, at equal count and at equal cost."""

from itertools import combinations
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from store import LswError, nearest
from store.rows import EffectRow
from workbench.significance.resampling import Values
from workbench.studies import areas
from workbench.studies.analyses.base import Analysis
from workbench.studies.differences import (
    NO_BASE,
    NO_QUERY,
    NOT_RUN,
    NOTHING,
    Columns,
    Who,
    about,
    bases,
    corrected,
    estimated,
    gains,
    gathered,
    numbers,
    others,
    paired,
    row,
    seen,
)
from workbench.studies.evidence import Evidence, Level, Observed, named_factor, unchanging
from workbench.talk import Progress

_AXES = ("noise", "budget")
Place = tuple[Level, Level | None, Level]
"""A method, a level of noise (None where there is none) and a budget."""


class Budget(Analysis):
    """Gains over the base at each budget, by method and noise.

    `method` is a factor, or empty: the trainings. All gains of one system and query variety are of the queries that
    all their runs share. A budget of 0 is the base, its gain 0 by definition.

    The area is that under the gains over ln(1 + budget) by the trapezoid rule, divided by its width, so that it is a
    mean gain; over the budgets of the grid, which must all be there. Methods are compared by it two by two: at equal
    count, and, where `cost` names what one unit of each costs (its words, say), at equal cost: over ln(1 + budget x
    cost), in the range that the methods share, with straight lines between their budgets. The slope is that of the
    gain on noise by least squares at each budget. All are sums of gains, so that topics and models are resampled, and
    topics flipped, as for a single one; Holm over each sort of effect, pairs that were seen in training and others
    apart. Of a method whose runs are the same at all budgets, or at all levels of noise, there is one gain, without
    such a level, and it counts once.
    """

    factor: str = "budget"
    method: str = ""
    noise: str = ""
    by: list[str] | None = None
    cost: dict[str, Annotated[float, Field(gt=0)]] = {}

    def factors(self, known: list[str]) -> None:
        for name in filter(None, [self.factor, self.method, self.noise, *(self.by or [])]):
            named_factor(name, known)

    def of(self, evidence: Evidence, progress: Progress) -> list[EffectRow]:
        factor = evidence.factor(self.factor)
        named = {name: evidence.factor(name) for name in (self.method, self.noise) if name}
        if len({factor, *named.values()}) <= len(named):
            raise LswError("A factor is named twice.", "analysis.factor, analysis.method, analysis.noise")
        by = others(evidence, self.by, [factor, *named.values()])
        budgets = numbers(factor, evidence.factors[factor])
        noises: dict[Level, float] | None = None
        if self.noise:
            noises = numbers(named[self.noise], evidence.factors[named[self.noise]])
        settings: dict[Who, dict[Place, list[Observed]]] = {}
        for who, runs in gathered(evidence, [*by, *named.values(), factor]).items():
            if who.trained_on is None:
                continue
            rest = dict(zip([*by, *named.values(), factor], who.levels, strict=True))
            method = rest[named[self.method]] if self.method else who.trained_on
            place = method, rest[named[self.noise]] if self.noise else None, rest[factor]
            whose = who._replace(levels=who.levels[: len(by)], trained_on=who.trained_on if self.method else None)
            settings.setdefault(whose, {})[place] = runs
        methods = list(dict.fromkeys(str(place[0]) for at in settings.values() for place in at))
        for name in self.cost:
            if settings and name not in methods:
                raise LswError(f"'{name}' is no method here.", "analysis.cost", nearest(name, methods))
        rows, before = list[EffectRow](), bases(evidence)
        for i, (who, at) in enumerate(settings.items()):
            columns = {place: gains(evidence, runs, before) for place, runs in at.items()}
            levels = dict(zip(by, who.levels, strict=True))
            rows += _Side(self, evidence, who, levels, columns, budgets, noises, named).effects()
            progress(i + 1, len(settings))
        return corrected(rows, "holm")


class _Side:
    """One system's gains on one query variety by method, noise and budget; None where a run has no base."""

    def __init__(
        self,
        how: Budget,
        evidence: Evidence,
        who: Who,
        levels: dict[str, Level],
        columns: dict[Place, Columns | None],
        budgets: dict[Level, float],
        noises: dict[Level, float] | None,
        named: dict[str, str],
    ) -> None:
        self.how, self.evidence, self.who, self.levels, self.named = how, evidence, who, levels, named
        self.columns, self.budgets, self.noises = columns, budgets, noises or {}
        self.methods = list(dict.fromkeys(method for method, _, _ in columns))
        self.at_noise: list[Level | None] = list(noises) if noises else [None]
        there = {place: group for place, group in columns.items() if group is not None}
        self.groups = list({group.run_ids: group for group in there.values()}.values())
        self.means, self.left_out = paired(evidence, self.groups, how.resamples, how.seed)
        number = {group.run_ids: i for i, group in enumerate(self.groups)}
        self.position = {place: number[group.run_ids] for place, group in there.items()} if self.means else {}
        self.still = dict[Level, list[str]]()
        for method in self.methods:
            runs = {place[1:]: group.run_ids for place, group in there.items() if place[0] == method}
            self.still[method] = [_AXES[axis] for axis in unchanging(runs, len(_AXES))]

    def effects(self) -> list[EffectRow]:
        """All, those of one sort together."""
        rows = [
            self._gain(m, z, level) for m in self.methods for z in self._at_noise(m)
            for level in ([None] if "budget" in self.still[m] else self.budgets)
        ]  # fmt: skip
        rows += [self._area(m, z) for m in self.methods for z in self._at_noise(m)]
        pairs = list(combinations(self.methods, 2))
        rows += [self._difference(a, b, z) for a, b in pairs for z in self._at_noise(a, b)]
        if self.noises:
            rows += [
                self._slope(m, level) for m in self.methods
                for level in ([None] if self.still[m] else [level for level, size in self.budgets.items() if size])
            ]  # fmt: skip
        if self.how.cost:
            rows += [each for z in self.at_noise for each in self._at_equal_cost(z)]
        return rows

    def _at_noise(self, *methods: Level) -> list[Level | None]:
        """The levels of noise at which these methods are told; None alone where it changes nothing of them."""
        return [None] if all("noise" in self.still[method] for method in methods) else self.at_noise

    def _place(self, method: Level, noise: Level | None, level: Level | None) -> Place:
        """Where a gain is; of what changes nothing, the first place that is there."""
        free = self.still[method]
        fitting = (
            place for place, group in self.columns.items()
            if group is not None and place[0] == method
            and ("noise" in free or place[1] == noise) and ("budget" in free or place[2] == level)
        )  # fmt: skip
        return next(fitting, (method, noise, 0 if level is None else level))

    def _same(
        self, method: Level, noise: Level | None, against: Level | None = None, cost: float | None = None
    ) -> EffectRow:
        who, levels = self.who, dict[str, Any](self.levels)
        if self.how.method:
            levels[self.named[self.how.method]] = method
        else:
            who = who._replace(trained_on=str(method))
        if noise is not None:
            levels[self.named[self.how.noise]] = noise
        if against is not None:
            levels["against"] = against
        if cost is not None:
            levels["cost"] = cost
        return about(self.evidence, who, levels, self.how.confidence)

    def _estimate(self, same: EffectRow, effect: str, weights: Values, test: bool = True, **columns: Any) -> EffectRow:
        assert self.means is not None
        whose = self.who._replace(trained_on=same["trained_on"])
        family = f"{effect}{seen(self.evidence, whose)}" if test else None
        [made] = estimated(
            same, effect, self.means, self.groups, weights[:, None], [columns], self.left_out, self.how.flips, family
        )  # fmt: skip
        return made

    def _why_not(self, place: Place) -> str:
        """Why a gain is not there; empty if it is."""
        if place in self.position or (place not in self.columns and not self.budgets[place[2]]):
            return ""
        return NOT_RUN if place not in self.columns else NO_BASE if self.columns[place] is None else NO_QUERY

    def _lacking(self, method: Level, noise: Level | None) -> str:
        """Why there is no area; empty if there is."""
        places = {level: self._place(method, noise, level) for level in self.budgets}
        lacking = [f"{level} ({why})" for level, place in places.items() if (why := self._why_not(place))]
        if lacking:
            return f"{len(lacking)} of {len(self.budgets)} budgets are not there: {', '.join(lacking)}"
        return "" if len(self.budgets) > 1 else "an area needs two budgets"

    def _weights(self, method: Level, noise: Level | None, by_budget: Values) -> Values:
        """Of all groups, from those of one method's budgets; what is nothing by definition needs none."""
        weights = np.zeros(len(self.groups))
        for level, weight in zip(self.budgets, by_budget, strict=True):
            place = self._place(method, noise, level)
            if place in self.position:
                weights[self.position[place]] += weight
        return weights

    def _gain(self, method: Level, noise: Level | None, level: Level | None) -> EffectRow:
        same, place = self._same(method, noise), self._place(method, noise, level)
        budget = None if level is None else self.budgets[level]
        if why := self._why_not(place):
            return row(same, "gain", dose=budget, why_not=why)
        if place not in self.position:
            return row(same, "gain", dose=budget, estimate=0.0, unit=self.evidence.measure, models=0)
        weights = np.eye(len(self.groups))[self.position[place]]
        detail = {"the same at all levels of": self.still[method]} if self.still[method] else {}
        return self._estimate(same, "gain", weights, dose=budget, detail=detail)

    @property
    def _at_count(self) -> Values:
        """Weights of the budgets in an area at equal count."""
        return areas.area(np.log1p(list(self.budgets.values())))

    def _area(self, method: Level, noise: Level | None) -> EffectRow:
        same = self._same(method, noise)
        if why := self._lacking(method, noise):
            return row(same, "area", why_not=why)
        return self._estimate(same, "area", self._weights(method, noise, self._at_count))

    def _difference(self, method: Level, other: Level, noise: Level | None) -> EffectRow:
        same = self._same(method, noise, other)
        if why := self._lacking(method, noise) or self._lacking(other, noise):
            return row(same, "area difference", why_not=why)
        weights = self._weights(method, noise, self._at_count) - self._weights(other, noise, self._at_count)
        return self._estimate(same, "area difference", weights)

    def _slope(self, method: Level, level: Level | None) -> EffectRow:
        same, budget = self._same(method, None), None if level is None else self.budgets[level]
        if "noise" in self.still[method]:
            return row(same, "slope", why_not=NOTHING)
        unit = f"{self.evidence.measure} per 1 of {self.how.noise.rpartition('.')[2]}"
        places = {noise: self._place(method, noise, level) for noise in self.noises}
        there = [noise for noise, place in places.items() if place in self.position]
        missing = [str(noise) for noise in self.noises if noise not in there]
        if len(there) < 2:
            why = f"a slope needs two levels of noise, and {len(there)} of {len(self.noises)} are there"
            return row(same, "slope", dose=budget, why_not=why)
        weights = np.zeros(len(self.groups))
        at = [self.position[places[noise]] for noise in there]
        np.add.at(weights, at, areas.slope(np.array([self.noises[noise] for noise in there])))
        detail = {"missing_noise": missing} if missing else {}
        return self._estimate(same, "slope", weights, dose=budget, unit=unit, detail=detail)

    def _at_equal_cost(self, noise: Level | None) -> list[EffectRow]:
        """Gains, areas and their differences over what all methods can be had for."""
        why = {
            method: self._lacking(method, noise) if str(method) in self.how.cost else "no cost is given"
            for method in self.methods
        }
        at = {
            method: np.log1p(np.array(list(self.budgets.values())) * self.how.cost[str(method)])
            for method in self.methods
            if not why[method]
        }
        rows = [
            row(self._same(method, noise), "area at equal cost", why_not=text) for method, text in why.items() if text
        ]
        low, high = (max(x[0] for x in at.values()), min(x[-1] for x in at.values())) if at else (0.0, 0.0)
        if low >= high:
            alone = "no range of costs is shared by all methods"
            return rows + [row(self._same(method, noise), "area at equal cost", why_not=alone) for method in at]
        points = np.unique(np.concatenate([[low, high], *at.values()]).round(12))
        points = points[(points >= low - 1e-12) & (points <= high + 1e-12)].clip(low, high)
        lines = {method: areas.between(x, points) for method, x in at.items()}
        for method, line in lines.items():
            for point, by_budget in zip(points, line, strict=True):
                if point > 0:
                    weights = self._weights(method, noise, by_budget)
                    same = self._same(method, noise, cost=float(f"{np.expm1(point):.9g}"))
                    rows.append(self._estimate(same, "gain at equal cost", weights, False))
        whole = {method: self._weights(method, noise, areas.area(points) @ line) for method, line in lines.items()}
        costs = {"from_cost": float(np.expm1(low)), "to_cost": float(np.expm1(high))}
        for method, weights in whole.items():
            rows.append(self._estimate(self._same(method, noise), "area at equal cost", weights, detail=costs))
        for method, other in combinations(whole, 2):
            same, weights = self._same(method, noise, other), whole[method] - whole[other]
            rows.append(self._estimate(same, "area difference at equal cost", weights, detail=costs))
        return rows
