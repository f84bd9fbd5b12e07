"""How much data: gains along a factor of doses, the smallest that helps, where it levels off, the curve."""

from typing import Annotated

import numpy as np
from pydantic import Field

from store import LswError
from store.rows import EffectRow
from workbench.studies import doses as rules
from workbench.studies.analyses.base import Analysis
from workbench.studies.differences import (
    NO_BASE,
    NO_QUERY,
    NOT_RUN,
    Columns,
    Who,
    about,
    absolute,
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
from workbench.studies.dose_curve import Dosed
from workbench.studies.evidence import Evidence, Level, Observed, named_factor
from workbench.talk import Progress

ALL = "all"


class DoseResponse(Analysis):
    """Gains over the base at each dose of a factor, and what they say together.

    A curve is of one system, training, query variety and level of each factor in `by`: all other factors, if it is not
    given, but seeds. What is in no list is averaged over, as models are. Its figures are of the queries that all its
    runs share. Dose 0 is the base: its gain is 0 by definition. The level "all" is the largest dose; how much it is
    says `all`, or else, of queries, what the training draws from.

    The curve g(N) = G (1 - exp(-(N / N0)^k)) is fitted to the gains by least squares, each weighted by one over the
    square of its interval's width, and in each bootstrap sample of topics and models anew: hence its pointwise band of
    `points` doses and the intervals of G, N0 and k. A parameter is not identified where more samples lie at a bound of
    the search than are outside its interval on one side, and none is where the interval of G includes 0.
    `shape` fixes k.

    The minimum effective dose is the smallest that, tested from the largest down to the first that fails, has a gain
    that is significant and at least `smallest`. Significant is what the test says of these models and the interval of
    topics and models too. Its own interval is of the smallest dose whose true gain is at least that
    (`doses.effective_bounds`): greater than its lower end, and not greater than its upper. Where a smaller dose of the
    grid that could be it is missing, the estimate is what it is at most. The plateau is the smallest dose, from the
    minimum effective one on, from which on all are within `smallest` of the largest one's gain by the upper bound of
    the difference; the largest itself is none, and without a minimum effective dose there is none either. Shares of
    resamples that give each dose are in `detail`; inside a resample the rules use a t of topics for the test and the
    bound.
    """

    factor: str = "queries"
    by: list[str] | None = None
    smallest: Annotated[float, Field(gt=0, le=1)] = 0.01
    all: Annotated[int, Field(gt=0)] | None = None
    shape: Annotated[float, Field(ge=0.25, le=4)] | None = None
    points: Annotated[int, Field(ge=2, le=1_000)] = 25

    def factors(self, known: list[str]) -> None:
        for name in [self.factor, *(self.by or [])]:
            named_factor(name, known)

    def of(self, evidence: Evidence, progress: Progress) -> list[EffectRow]:
        factor = evidence.factor(self.factor)
        by = others(evidence, self.by, [factor])
        curves: dict[Who, dict[Level, list[Observed]]] = {}
        for who, runs in gathered(evidence, [*by, factor]).items():
            if who.trained_on is not None:
                curves.setdefault(who._replace(levels=who.levels[:-1]), {})[who.levels[-1]] = runs
        rows, before = list[EffectRow](), bases(evidence)
        for i, (who, runs_at) in enumerate(curves.items()):
            count = evidence.known.get(who.trained_on or "") if factor.rpartition(".")[2] == "queries" else None
            dose = self._doses(factor, evidence.factors[factor], self.all or count)
            at = {dose[level]: runs for level, runs in runs_at.items()}
            one = _Curve(self, evidence, factor, list(dose.values()), who, dict(zip(by, who.levels, strict=True)), at)
            rows += one.effects(before)
            control = who._replace(trained_on=evidence.control)
            if evidence.control and who != control and control in curves:
                rows += one.controls({dose[level]: runs for level, runs in curves[control].items()})
            progress(i + 1, len(curves))
        if not rows:
            same = EffectRow(measure=evidence.measure, levels="{}")
            return [row(same, "gain", why_not="no cell with a training has been run")]
        return corrected(rows, "holm")

    def _doses(self, factor: str, levels: list[Level], count: int | None) -> dict[Level, float]:
        """Each level's dose, ascending.

        Args:
            count: how much "all" is.

        Raises:
            LswError: a level is no dose, or two are the same; "all" is not said how much, or is not the largest.
        """
        known = numbers(factor, [level for level in levels if level != ALL])
        if ALL in levels:
            if count is None:
                raise LswError(
                    f"How much is the level 'all' of '{factor}'?", "analysis.all", "Say it: analysis.all = 20000."
                )
            if known and count <= max(known.values()):
                raise LswError(
                    f"The level 'all' of '{factor}' is {count:,}, and another level {max(known.values()):,g}.",
                    "analysis.all",
                    "It must be the largest: leave the other level out, or correct analysis.all.",
                )
            known[ALL] = float(count)
        if len(set(known.values())) < len(known):
            raise LswError(f"Two levels of '{factor}' are the same dose.", cure="Leave one of them out.")
        if not any(known.values()):
            raise LswError(f"'{factor}' has no level above 0.", cure="A curve needs doses.")
        return known


class _Curve:
    """One system after one training on queries of one variety."""

    def __init__(
        self,
        how: DoseResponse,
        evidence: Evidence,
        factor: str,
        doses: list[float],
        who: Who,
        levels: dict[str, Level],
        at: dict[float, list[Observed]],
    ) -> None:
        self.how, self.evidence, self.doses, self.at, self.levels, self.who = how, evidence, doses, at, levels, who
        self.unit = factor.rpartition(".")[2]
        self.same = about(evidence, who, levels, how.confidence)
        among = ", ".join([f"{name.rpartition('.')[2]} {level}" for name, level in levels.items()])
        self.family = (
            f"gain{seen(evidence, who)}: {who.system} after {who.trained_on}, {who.query_variety}-"
            f"{who.document_variety}{', ' * bool(among)}{among}"
        )

    def effects(self, before: dict[tuple[int, str, str, str], Observed]) -> list[EffectRow]:
        """Gains, the rules and the curve."""
        how, same = self.how, self.same
        if self._constant(self.at):
            return [row(same, "gain", why_not=f"{self.unit} changes nothing here: the runs are the same at all doses")]
        columns = {dose: gains(self.evidence, self.at.get(dose, []), before) for dose in self.doses}
        if 0 in columns and 0 not in self.at:
            columns[0] = Columns(np.zeros((len(self.evidence.evaluations.qids), 1)), ())
        there = {dose: group for dose, group in columns.items() if group is not None}
        positive = [dose for dose in there if dose]
        why = {dose: NO_BASE if dose in self.at else NOT_RUN for dose in self.doses if dose not in there}
        means, left_out = paired(self.evidence, list(there.values()), how.resamples, how.seed)
        if means is None or not positive:
            return [row(same, "gain", dose=dose, why_not=why.get(dose, NO_QUERY)) for dose in self.doses if dose]
        groups = list(there.values())
        weights = np.eye(len(there))[:, [i for i, dose in enumerate(there) if dose]]
        found = estimated(
            same,
            "gain",
            means,
            groups,
            weights,
            [{"dose": dose} for dose in positive],
            left_out,
            how.flips,
            self.family,
        )
        p = np.array([each["p_value"] for each in found])
        for each, adjusted in zip(found, rules.in_sequence(p).tolist(), strict=True):
            each["correction"], each["family_size"], each["p_corrected"] = rules.SEQUENCE, len(found), adjusted
        by_dose = dict(zip(positive, found, strict=True))
        by_dose |= {dose: row(same, "gain", dose=dose, why_not=reason) for dose, reason in why.items()}
        if 0 in there:
            [by_dose[0]] = estimated(same, "gain", means, groups, np.eye(len(there))[:, :1], [{"dose": 0.0}], left_out)
            if 0 not in self.at:  # as it is defined, not as it was measured
                by_dose[0]["ci_low"] = by_dose[0]["ci_high"] = None
                by_dose[0]["models"] = 0
        dosed = Dosed(
            positive, self.doses[-1], means, weights, p, same, self.unit, self.family, why, how.confidence,
            how.smallest, how.shape, how.points,
        )  # fmt: skip
        return [by_dose[dose] for dose in self.doses] + [dosed.minimum(), dosed.plateau(), *dosed.fitted()]

    def _constant(self, at: dict[float, list[Observed]]) -> bool:
        """Whether the runs of several doses are one and the same: the factor is not of this training."""
        runs = [tuple(run.run_id for run in at[dose]) for dose in at if dose]
        return len(runs) > 1 and len(set(runs)) == 1

    def controls(self, control: dict[float, list[Observed]]) -> list[EffectRow]:
        """At each dose the difference to the control's training on as much, on the queries that these share."""
        how, evidence = self.how, self.evidence
        if self._constant(self.at):
            return []  # the gains say so
        same = about(evidence, self.who, {**self.levels, "against": evidence.control}, how.confidence)
        declared = [dose for dose in self.doses if dose]
        both = [dose for dose in declared if dose in self.at and dose in control]
        groups = [absolute(evidence, runs[dose]) for dose in both for runs in (self.at, control)]
        means, left_out = paired(evidence, groups, how.resamples, how.seed)
        made: dict[float, EffectRow] = {}
        if means is not None:
            weights = np.kron(np.eye(len(both)), np.array([[1.0], [-1.0]]))
            detail = {"control": "the same runs at all doses"} if self._constant(control) else {}
            names = [{"dose": dose, "detail": detail} for dose in both]
            family = f"control{seen(evidence, self.who)}"
            made = dict(
                zip(
                    both,
                    estimated(same, "control", means, groups, weights, names, left_out, how.flips, family),
                    strict=True,
                )
            )
        for dose in declared:
            if dose not in made:
                why = NO_QUERY if dose in both else "no run of the control" if dose in self.at else NOT_RUN
                made[dose] = row(same, "control", dose=dose, why_not=why)
        return [made[dose] for dose in declared]
