"""Main effects and interactions of a grid's factors, over languages, topics and models."""

from collections import Counter
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from store import LswError
from store.rows import EffectRow
from workbench.comparison.paired import Mask
from workbench.significance.clusters import spread_of
from workbench.significance.mixed import MOST, Random, mixed
from workbench.significance.resampling import Values
from workbench.studies.analyses.base import Analysis
from workbench.studies.crossed import Crossed, Index
from workbench.studies.design import DOUBLING, UNIT, Coding, Factor, Model, model, terms_of
from workbench.studies.evidence import Evidence, Observed, named_factor
from workbench.studies.groups import Group, correct, effect, estimated, groups
from workbench.studies.words import short
from workbench.talk import Progress

FEW = 5
"""Languages or models below which the row says that they are few."""
ROWS = 200_000
"""Values of queries in runs that a mixed model is fitted to; of more, or of too many topics, the means of runs."""

SAME = "nothing here changes with {}: the runs are the same at all levels"
UNTOLD = "terms cannot be told apart, each run counted once"


class Factorial(Analysis):
    """How much each factor of the grid changes a measure, and how much one factor changes what another does.

    `factors` says how each is read: "linear", "log2" (an effect is then of a doubling) or "nominal"; a list counts its
    items. Interactions are of up to `order` factors. `outcome` is the measure of the trained models or their gain over
    the base of the same cell; `queries` are those of the low-resource side of each tested pair, or all. Factors that
    are not named are looked at level by level; `seeds` are the models. A factor that changes no run, so that the runs
    are the same at all its levels, has no effect. A run in several cells counts once in the mixed model and in omega
    squared.
    """

    factors_: Annotated[dict[str, Coding], Field(alias="factors", min_length=1)]
    order: Annotated[int, Field(ge=1, le=3)] = 2
    outcome: Literal["value", "gain"] = "value"
    queries: Literal["low", "all"] = "low"

    def factors(self, known: list[str]) -> None:
        for name in self.factors_:
            named_factor(name, known)

    def of(self, evidence: Evidence, progress: Progress) -> list[EffectRow]:
        read = {evidence.factor(name): coding for name, coding in self.factors_.items()}
        factors = [Factor.of(name, coding, evidence.factors[name]) for name, coding in read.items()]
        if not evidence.runs:
            raise LswError("No cell has been run.", exit_code=1)
        trained = {run.system for run in evidence.runs if run.trained_on is not None}
        chosen = [g for g in groups(evidence, read) if g.trained_on is not None or g.system not in trained]
        rows: list[EffectRow] = []
        for number, group in enumerate(chosen):
            rows += self._of_group(
                evidence, group, factors, lambda done, total, n=number: progress(n * total + done, len(chosen) * total)
            )
        return rows

    def _of_group(self, evidence: Evidence, group: Group, factors: list[Factor], progress: Progress) -> list[EffectRow]:
        measure = evidence.measure
        taken = _Taken(evidence, group, factors, self.queries == "low", self.outcome == "gain")
        if taken.why_not:
            return [effect(group, "cell mean", measure, measure, why_not=taken.why_not, detail=taken.counts)]
        data = taken.crossed
        at = {f.name: taken.at[data.cell, i] for i, f in enumerate(factors)}
        idle = [f.name for i, f in enumerate(factors) if not data.changes(taken.apart(i))]
        of_idle = [(term, [f.name for f in term.factors if f.name in idle]) for term in terms_of(factors, self.order)]
        terms = model([term for term, names in of_idle if not names], at, data.blocks)
        said = {name: short(name, evidence.factors) for name in idle}
        same = [(term, SAME.format(" and ".join(said[name] for name in names))) for term, names in of_idle if names]
        told = [(t, labels, span, w) for t, span in terms.terms for labels, w in t.contrasts()]
        weights = np.zeros((terms.columns.shape[1], len(told)))
        for column, (_, _, span, w) in enumerate(told):
            weights[span, column] = w

        def of(drawn: list[Values]) -> Values:
            return np.hstack([data.cell_means(drawn), data.coefficients(terms, drawn) @ weights])

        spread = spread_of(of, data.counts, self.confidence, self.resamples, self.seed, progress)
        cells = len(taken.at)
        common: dict[str, Any] = {
            "n": taken.n, "n_groups": data.counts[1], "models": data.counts[2], "measure": measure, "group": group,
        }  # fmt: skip
        rows = []
        for cell in range(cells):
            levels = {f.name: f.levels[taken.at[cell, i]] for i, f in enumerate(factors)}
            here = [run for run in range(len(data.cell)) if data.cell[run] == cell]
            detail = taken.counts | {"runs": len(here), "languages": len({data.language[run] for run in here})}
            models = len({data.model[run] for run in here})
            of_cell = estimated(spread, cell, self.confidence) | {"models": models, "detail": detail}
            rows.append(effect(effect="cell mean", unit=measure, levels=levels, **(common | of_cell)))
        once = data.once(terms)
        fitted, shares = _beside(*once, weights), once[0].shares(once[1])
        tested = []
        for column, (term, labels, _, _) in enumerate(told):
            i = cells + column
            per = " and ".join(f"{label} of {name}" for name, label in labels.items() if label in (UNIT, DOUBLING))
            unit = f"{measure} {per}".strip()
            kind = "main" if len(term.factors) == 1 else "interaction"
            detail = taken.counts | {
                "term": term.name, "interval": "t of the cluster bootstrap", "degrees": spread.degrees[i],
                "undefined": int(spread.undefined[i]), "few": _few(data.counts),
            }  # fmt: skip
            test = None if np.isnan(spread.p[i]) else "t of the cluster bootstrap"
            values = estimated(spread, i, self.confidence) | {"test": test, "p_value": spread.p[i], "detail": detail}
            tested.append(effect(effect=kind, unit=unit, levels=labels, **(common | values)))
            rows.append(tested[-1])
            rows.append(
                effect(effect="mixed model", unit=unit, levels=labels, **(common | fitted(column, self.confidence)))
            )
        correct(tested, f"main effects and interactions in {measure}: {group.named}")
        for (term, _), (share, partial) in zip(terms.terms, shares, strict=True):
            levels = {f.name: f.coding for f in term.factors}
            for name, value in (("omega squared", share), ("partial omega squared", partial)):
                detail = taken.counts | {"term": term.name, "sums of squares": "type III"}
                share_of: dict[str, Any] = common | {"estimate": value, "detail": detail}
                share_of |= {} if np.isfinite(value) else {"why_not": UNTOLD}
                rows.append(effect(effect=name, unit="share of variance", levels=levels, **share_of))
        for term, why in [*terms.untold, *same]:
            kind, levels = "main" if len(term.factors) == 1 else "interaction", {f.name: f.coding for f in term.factors}
            detail = taken.counts | {"term": term.name}
            rows.append(effect(effect=kind, unit=measure, levels=levels, why_not=why, **(common | {"detail": detail})))
        return rows


def _few(counts: list[int]) -> str:
    """What is said of clusters that are few or one; empty if they are enough."""
    languages, topics, models = counts
    named = [(languages, "language"), (topics, "topic"), (models, "model")]
    one = [f"a single {name}: nothing is said of others" for count, name in named if count == 1]
    few = [f"{count} {name}s are few" for count, name in named if 1 < count < FEW]
    return "; ".join(one + few)


def _beside(data: Crossed, terms: Model, weights: Values) -> Any:
    """A mixed model's estimate of each contrast: a function of the contrast's number and the confidence; None if there
    is nothing to estimate."""
    from scipy import stats

    if not terms.terms:
        return None
    languages, topics, models = data.counts
    own = [np.flatnonzero(data.language == number) for number in range(len(data.values))]
    by_query = sum(values.size for values in data.values) <= ROWS and sum(data.counts) <= MOST
    y, run, topic = [], [], []
    for runs, values, of_query in zip(own, data.values, data.topics, strict=True):
        y.append(values.ravel() if by_query else values.mean(axis=0))
        run.append(np.tile(runs, len(values)) if by_query else runs)
        topic.append(np.repeat(of_query, len(runs)) if by_query else np.zeros(0, np.int64))
    at = np.concatenate(run)
    effects = {"language": (languages, data.language[at]), "model": (models, data.model[at])}
    if by_query:
        effects["topic"] = topics, np.concatenate(topic)
    effects = {name: effect for name, effect in effects.items() if effect[0] > 1}
    fixed = np.column_stack([np.ones(len(at)), terms.columns[at]])
    if np.linalg.matrix_rank(fixed.T @ fixed, hermitian=True) < fixed.shape[1]:
        fit: Any = UNTOLD
    else:
        fit = mixed(np.concatenate(y), fixed, [Random(index) for _, index in effects.values()])
    rows = "queries" if by_query else "means of runs"

    def of(column: int, confidence: float) -> dict[str, Any]:
        if isinstance(fit, str):
            return {"why_not": fit, "detail": {}}
        estimate = float(fit.coefficients[1:] @ weights[:, column])
        error = float(np.sqrt(weights[:, column] @ fit.covariance[1:, 1:] @ weights[:, column]))
        wide = float(stats.norm.ppf((1 + confidence) / 2)) * error
        deviations = dict(zip(effects, fit.deviations.tolist(), strict=True)) | {"residual": fit.residual}
        detail = {
            "interval": "normal, variances as known, intercepts alone random",
            "deviations": deviations,
            "of": rows,
        }
        bounds = {"ci_low": estimate - wide, "ci_high": estimate + wide, "confidence": confidence}
        return {"estimate": estimate, "detail": detail} | bounds

    return of


class _Taken:
    """What of a group's runs is used, and what is left out.

    `at` has the level of each factor in each cell (cells x factors), `n` counts queries, `counts` is for `detail`.
    """

    def __init__(self, evidence: Evidence, group: Group, factors: list[Factor], low: bool, gain: bool) -> None:
        runs = [run for run in group.runs if not low or not evidence.pairs or run.pair in evidence.pairs]
        bases = {run.run_id: evidence.base(run) if gain else None for run in runs}
        without = [run for run in runs if gain and bases[run.run_id] is None]
        runs = [run for run in runs if run not in without]
        self.counts: dict[str, Any] = {"cells missing": evidence.missing, "runs without base": len(without)}
        self.why_not, self.n = "", 0
        if not runs:
            self.why_not = "no run has a base to gain over" if without else "no run asks with the tested pairs' queries"
            return
        every = list(dict.fromkeys(tuple(f.levels.index(run.levels[f.name]) for f in factors) for run in runs))
        points = sorted(every)
        cell = [points.index(tuple(f.levels.index(run.levels[f.name]) for f in factors)) for run in runs]
        _once(runs, cell)
        models = list(dict.fromkeys(run.seed for run in runs))
        by_pair: dict[str, list[Observed]] = {}
        for run in runs:
            by_pair.setdefault(run.pair, []).append(run)
        topics = {topic: i for i, topic in enumerate(dict.fromkeys(evidence.units))}
        of_query = np.array([topics[topic] for topic in evidence.units], np.int64)
        values, units, kept, left_out, seen = [], [], [], 0, np.zeros(len(of_query), np.bool_)
        for pair, own in by_pair.items():
            ids = [run.run_id for run in own] + [base.run_id for run in own if (base := bases[run.run_id])]
            shared: Mask = evidence.shared(ids)
            left_out += evidence.evaluations.left_out(tuple(ids), shared)
            if not shared.any():
                self.counts.setdefault("languages without a shared query", []).append(pair)
                continue
            columns = [
                evidence.gains(run.run_id, base.run_id) if (base := bases[run.run_id]) else evidence.values(run.run_id)
                for run in own
            ]
            values.append(np.column_stack(columns)[shared])
            units.append(of_query[shared])
            kept.append(pair)
            seen |= shared
        self.counts["queries left out"] = left_out
        if not kept:
            self.why_not = "no query was evaluated in all runs of a language"
            return
        used = [i for i, run in enumerate(runs) if run.pair in kept]
        ids = list(dict.fromkeys(run.run_id for run in runs))
        here = sorted({cell[i] for i in used})
        self.at: Index = np.array([points[c] for c in here])
        known = np.unique(np.concatenate(units))
        self.crossed = Crossed(
            np.array([here.index(cell[i]) for i in used]),
            _numbered([models.index(runs[i].seed) for i in used]),
            np.array([kept.index(runs[i].pair) for i in used]),
            values, [np.searchsorted(known, index) for index in units],
            _numbered([ids.index(runs[i].run_id) for i in used]),
        )  # fmt: skip
        if again := len(used) - len({runs[i].run_id for i in used}):
            self.counts["runs there again in another cell"] = again
        self.n = int(seen.sum())
        empty = int(np.prod([len(f.levels) for f in factors])) - len(here)
        if empty:
            self.counts["cells without a run"] = empty
        if not self.crossed.whole:
            self.counts["unbalanced"] = "least squares with languages and models as blocks"

    def apart(self, factor: int) -> Index:
        """In each run the level of a factor, and a number for the levels of the others (runs x 2)."""
        others = np.unique(np.delete(self.at, factor, axis=1), axis=0, return_inverse=True)[1].ravel()
        return np.column_stack([self.at[:, factor], others])[self.crossed.cell]


def _numbered(index: list[int]) -> Index:
    """The same numbers without gaps."""
    out: Index = np.unique(index, return_inverse=True)[1]
    return out


def _once(runs: list[Observed], cell: list[int]) -> None:
    """Refuse two runs of one model and language in one cell."""
    places = Counter((c, run.seed, run.pair) for run, c in zip(runs, cell, strict=True))
    for (_, seed, pair), times in places.items():
        if times > 1:
            raise LswError(
                f"{times} runs of one cell have the queries of {pair} and the seed {seed}.",
                cure="Name in `factors` what tells them apart.",
            )
