"""What gains at several doses say together, as effects: the smallest that helps, the plateau, the fitted curve."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from store.rows import EffectRow
from workbench.comparison.paired import Mask
from workbench.significance.means import Estimates, Means
from workbench.significance.resampling import Values
from workbench.studies import doses as rules
from workbench.studies.differences import NOT_RUN, row
from workbench.studies.saturation import Saturation, fitted

ONE_TOPIC = "a single topic: nothing is known of its spread"


@dataclass(frozen=True)
class Dosed:
    """Gains of one training at the doses above 0 that are there.

    Args:
        doses: ascending; `largest` is that of the grid, there or not.
        means: of groups of models; `weights` make gains of them (groups x doses).
        p: of the gains, each by itself (doses).
        same: columns of every row; `unit` is that of doses, `family` that of the gains.
        missing: doses above 0 of the grid that are not there, ascending, and why.
        confidence, smallest, shape, points: settings of the analysis.
    """

    doses: list[float]
    largest: float
    means: Means
    weights: Values
    p: Values
    same: EffectRow
    unit: str
    family: str
    missing: dict[float, str]
    confidence: float
    smallest: float
    shape: float | None
    points: int

    @cached_property
    def gained(self) -> Estimates:
        """The gains."""
        return self.means.estimates(self.weights, self.confidence)

    @property
    def _tails(self) -> list[float]:
        return [(1 - self.confidence) / 2, (1 + self.confidence) / 2]

    @property
    def _critical(self) -> float:
        """Of the t inside a resample."""
        from scipy import stats

        return float(stats.t.ppf(self._tails[1], self.means.n_groups - 1))

    @cached_property
    def _drawn(self) -> rules.Positions:
        """Position of the minimum effective dose in each resample."""
        sure = self.gained.samples > self._critical * self.means.errors(self.weights)
        return rules.effective(sure, self.gained.samples, self.smallest)

    @cached_property
    def _significant(self) -> Mask:
        """Gains above 0 in the sequence that has not failed yet (doses).

        The test is of these models; so the interval, which is over models too, must lie above 0 as well.
        """
        return rules.unbroken((self.p <= 1 - self.confidence) & (self.gained.low > 0))

    @cached_property
    def _position(self) -> int:
        """Of the minimum effective dose; -1: there is none."""
        return int(rules.effective(self._significant, self.gained.estimate, self.smallest))

    def _row(self, effect: str, detail: dict[str, Any] | None = None, **columns: Any) -> EffectRow:
        counts = {"n": self.means.n, "n_groups": self.means.n_groups, "models": int(self.means.models.max())}
        missing = {"missing_doses": list(self.missing)} if self.missing else {}
        return row(self.same, effect, missing | (detail or {}), **counts | columns)

    def _below(self, position: int) -> float:
        """The next smaller dose that is there; 0, which gains nothing, below the first."""
        return self.doses[position - 1] if position > 0 else 0.0

    def _lacking(self, above: float, below: float = np.inf) -> str:
        """Which doses between two others are not there, in words; empty if none is missing."""
        why = {dose: reason for dose, reason in self.missing.items() if above < dose < below}
        verb, there = "is" if len(why) == 1 else "are", NOT_RUN if set(why.values()) == {NOT_RUN} else "not there"
        return f"{', '.join(f'{dose:,.12g}' for dose in why)} {verb} {there}" if why else ""

    def minimum(self) -> EffectRow:
        """The minimum effective dose, with the interval of the smallest dose that is truly worth having.

        Its lower end is a dose that is not: the truth is greater. Where a smaller dose of the grid is missing, the
        estimate is an upper bound, `detail.at_most` says why, and there is no lower end.
        """
        found, position, several = self.gained, self._position, self.means.n_groups > 1
        detail: dict[str, Any] = {"smallest": self.smallest}
        result: dict[str, Any] = {
            "unit": self.unit, "test": "randomisation", "correction": rules.SEQUENCE, "family": self.family,
            "family_size": len(self.doses),
        }  # fmt: skip
        if several:
            detail["resamples"] = rules.shares(self._drawn, self.doses)
            low, high = rules.effective_bounds(found.low, found.high, self.smallest)
            if low == len(self.doses):
                detail["interval"] = f"above {self.doses[-1]:g}"
            else:
                result["ci_low"] = self._below(low)
                result["ci_high"] = self.doses[max(high, position)] if high >= 0 else None
        if position >= 0:
            in_sequence = rules.in_sequence(self.p)
            result |= {"estimate": self.doses[position], "p_value": float(self.p[position])}
            result["p_corrected"] = float(in_sequence[position])
            if lacking := self._lacking(self._below(position), self.doses[position]):
                detail["at_most"], result["ci_low"] = lacking, None
        else:
            if not self._significant.any():
                why = f"not reached: the gain at the largest, {self.doses[-1]:g}, is not shown"
            else:
                first = self.doses[int(rules.first(self._significant))]
                why = f"not reached: shown from {first:g} on, and below {self.smallest:g} at each"
            lacking = self._lacking(self.doses[-1])
            result["why_not"] = f"{why}; {lacking}" if lacking else why
        return self._row("minimum effective dose", detail, **result)

    def plateau(self) -> EffectRow:
        """Where it levels off, with the interval of the smallest dose that is truly as good as the largest.

        Its lower end, and what is missing, are as those of the minimum effective dose.
        """
        smallest, why = self.smallest, ""
        if self.doses[-1] != self.largest:
            why = f"the largest dose, {self.largest:g}, is not there"
        elif len(self.doses) < 2:
            why = "a single dose is there"
        elif self.means.n_groups < 2:
            why = ONE_TOPIC
        if why:
            return self._row("plateau", unit=self.unit, why_not=why)
        short = self.weights[:, -1:] - self.weights[:, :-1]  # what the largest gains beyond each other
        found = self.means.estimates(short, self.confidence)
        shortfall = zip(self.doses[:-1], found.estimate, found.low, found.high, strict=True)
        upper = found.samples + self._critical * self.means.errors(short)
        detail = {
            "smallest": smallest,
            "short_of_largest": {f"{dose:g}": [float(v) for v in values] for dose, *values in shortfall},
            "resamples": rules.shares(rules.plateau(upper, self._drawn, smallest), self.doses),
        }
        if self._position < 0:
            return self._row("plateau", detail, unit=self.unit, why_not="no minimum effective dose")
        position = int(rules.plateau(found.high, np.array(self._position), smallest))
        # A dose that surely falls short by more is none; the rule's answer is an upper bound by itself.
        lower = int(rules.first(found.low < smallest))
        last = len(self.doses) - 1
        low = self._below(lower if lower >= 0 else last)
        lacking = self._lacking(self._below(position if position >= 0 else last), self.doses[position])
        if position < 0:
            why = f"not reached: below {self.largest:g} no dose is surely within {smallest:g} of it"
            why = f"{why}; {lacking}" if lacking else why
            return self._row("plateau", detail, unit=self.unit, ci_low=low, why_not=why)
        dose, bound = self.doses[position], None if lacking else min(low, self._below(position))
        detail |= {"at_most": lacking} if lacking else {}
        return self._row("plateau", detail, unit=self.unit, estimate=dose, ci_low=bound, ci_high=dose)

    def fitted(self) -> list[EffectRow]:
        """G, N0 and k, and the curve with its band at `points` doses: 0, and from a quarter of the smallest on."""
        widths = self.gained.high - self.gained.low
        needed, why = 3 if self.shape is None else 2, ""
        if len(self.doses) < needed:
            why = f"a curve needs {needed} doses above 0, and {len(self.doses)} are there"
        elif self.means.n_groups < 2:
            why = ONE_TOPIC
        elif not (widths > 0).all():
            why = "gains do not vary between topics"
        if why:
            return [self._row(name, why_not=why) for name in ("G", "N0", "k")]
        doses, precision = np.array(self.doses), 1 / widths**2
        largest = max(1.0, 10 * float(np.abs(self.gained.estimate).max()))
        best = fitted(doses, self.gained.estimate[None], precision, self.shape, largest)
        drawn = fitted(doses, self.gained.samples, precision, self.shape, largest)
        at = np.concatenate([[0.0], np.geomspace(doses[0] / 4, doses[-1], self.points - 1)])
        low, high = np.quantile(drawn.at(at), self._tails, axis=0)
        band = zip(at.tolist(), best.at(at)[0].tolist(), low.tolist(), high.tolist(), strict=True)
        measure = self.same["measure"]
        return self._parameters(best, drawn) + [
            self._row("curve", dose=dose, estimate=middle, ci_low=below, ci_high=above, unit=measure)
            for dose, middle, below, above in band
        ]

    def _parameters(self, best: Saturation, drawn: Saturation) -> list[EffectRow]:
        heights = np.quantile(drawn.height, self._tails)

        def at_bound(name: str, side: int) -> bool:
            share = float((drawn.bound[name] == side).mean())
            return share > self._tails[0] or best.bound[name][0] == side

        why: dict[str, str] = {}
        flat = heights[0] <= 0 <= heights[1]
        if at_bound("N0", 1) or at_bound("G", 1) or at_bound("G", -1):
            rises = "gains are flat, and it may rise beyond the doses" if flat else "it may rise beyond the doses"
            why["G"] = why["N0"] = f"not identified: {rises}"
        if flat:
            why.setdefault("G", "not identified: its interval includes 0")
            why["N0"] = why["k"] = "not identified: the interval of G includes 0, and a flat curve has none"
        elif at_bound("N0", -1):
            why["N0"] = "not identified: it may have risen below a tenth of the smallest dose"
        if drawn.shape_given:
            why["k"] = f"given: {self.shape:g}"
        elif at_bound("k", -1) or at_bound("k", 1):
            why.setdefault("k", "not identified: it may lie at a bound of .25 to 4")
        rows = []
        for name, unit, one, many in (
            ("G", self.same["measure"], best.height, drawn.height),
            ("N0", self.unit, best.scale, drawn.scale),
            ("k", "", best.shape, drawn.shape),
        ):
            low, high = np.quantile(many, self._tails).tolist()
            values = {"estimate": float(one[0]), "ci_low": low, "ci_high": high}
            columns = {"why_not": why[name]} if name in why else values
            rows.append(self._row(name, {"fitted": float(one[0])}, unit=unit, **columns))
        return rows
