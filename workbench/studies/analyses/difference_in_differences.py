"""Does training help more at one level of a factor than at another: pages and passages, say."""

import json

import numpy as np

from store import LswError, nearest
from store.rows import EffectRow
from workbench.significance.resampling import Values
from workbench.studies.analyses.base import Analysis
from workbench.studies.differences import (
    NO_QUERY,
    NOT_RUN,
    Columns,
    Who,
    about,
    absolute,
    corrected,
    estimated,
    gathered,
    others,
    paired,
    row,
    seen,
)
from workbench.studies.evidence import Evidence, Level, Observed, named_factor
from workbench.talk import Progress

At = dict[Level, Columns]


class DifferenceInDifferences(Analysis):
    """Means at each level of a `factor`, their differences to the `baseline` level, and differences of these.

    (after training at a level - after training at the baseline) - (before at the level - before at the baseline):
    each paired by query over its own runs, two or four, of one system, query variety, document variety and level of
    each factor in `by` (all others but seeds, if it is not given). Topics and models are resampled, topics flipped;
    Holm over all differences, and over all differences in differences, pairs that were seen in training and others
    apart.
    """

    factor: str
    baseline: bool | int | float | str
    by: list[str] | None = None

    def factors(self, known: list[str]) -> None:
        for name in [self.factor, *(self.by or [])]:
            named_factor(name, known)

    def of(self, evidence: Evidence, progress: Progress) -> list[EffectRow]:
        factor = evidence.factor(self.factor)
        by = others(evidence, self.by, [factor])
        levels = evidence.factors[factor]
        if self.baseline not in levels:
            raise LswError(
                f"The factor '{factor}' has no level {json.dumps(self.baseline)}.",
                "analysis.baseline",
                nearest(str(self.baseline), [str(level) for level in levels]),
            )
        if len(levels) < 2:
            raise LswError(f"The factor '{factor}' has a single level.", cure="A difference needs two.")
        groups: dict[Who, dict[Level, list[Observed]]] = {}
        for who, runs in gathered(evidence, [*by, factor]).items():
            groups.setdefault(who._replace(levels=who.levels[:-1]), {})[who.levels[-1]] = runs
        rows = []
        for i, (who, at) in enumerate(sorted(groups.items(), key=lambda item: item[0].trained_on is not None)):
            columns = {level: absolute(evidence, runs) for level, runs in at.items()}
            before = {
                level: absolute(evidence, runs) for level, runs in groups.get(who._replace(trained_on=None), {}).items()
            }
            rows += self._effects(evidence, who, factor, dict(zip(by, who.levels, strict=True)), columns, before)
            progress(i + 1, len(groups))
        return corrected(rows, "holm")

    def _effects(
        self, evidence: Evidence, who: Who, factor: str, among: dict[str, Level], at: At, before: At
    ) -> list[EffectRow]:
        """Of one system after one training, or before any."""
        levels = evidence.factors[factor]
        of_base = who.trained_on is None
        family = f"difference {'before' if of_base else 'after'} training{seen(evidence, who)}"
        rows = [self._effect(evidence, who, "mean", {**among, factor: level}, [at.get(level)]) for level in levels]
        for level in levels:
            if level == self.baseline:
                continue
            named = {**among, factor: level, "against": self.baseline}
            two = [at.get(level), at.get(self.baseline)]
            rows.append(self._effect(evidence, who, "difference", named, two, family))
        for level in levels:
            if level == self.baseline or of_base:
                continue
            named = {**among, factor: level, "against": self.baseline}
            four = [at.get(level), at.get(self.baseline), before.get(level), before.get(self.baseline)]
            effect = "difference in differences"
            rows.append(self._effect(evidence, who, effect, named, four, f"{effect}{seen(evidence, who)}"))
        return rows

    def _effect(
        self,
        evidence: Evidence,
        who: Who,
        effect: str,
        levels: dict[str, Level],
        groups: list[Columns | None],
        family: str | None = None,
    ) -> EffectRow:
        """The first group, less the second, less what the third is above the fourth."""
        same, there = about(evidence, who, levels, self.confidence), [group for group in groups if group is not None]
        if len(there) < len(groups):
            whose = "" if groups[0] is None or (len(groups) > 1 and groups[1] is None) else ": the base"
            why = f"{len(groups) - len(there)} of {len(groups)} means: {NOT_RUN}{whose}" if len(groups) > 1 else NOT_RUN
            return row(same, effect, why_not=why)
        means, left_out = paired(evidence, there, self.resamples, self.seed)
        if means is None:
            return row(same, effect, why_not=NO_QUERY)
        weights: Values = np.array([1.0, -1.0, -1.0, 1.0])[: len(groups), None]
        [made] = estimated(same, effect, means, there, weights, [{}], left_out, self.flips, family)
        return made
