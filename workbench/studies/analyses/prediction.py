"""Whether similarity of wordings predicts what single queries lose or gain, in pairs that were not used."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from store import LswError
from store.rows import EffectRow
from workbench.comparison.paired import Mask
from workbench.significance.clusters import spread_of
from workbench.significance.mixed import Random, mixed
from workbench.significance.power import ALPHA, significant_rho
from workbench.significance.resampling import Values
from workbench.studies.analyses.base import Analysis
from workbench.studies.evidence import Evidence, Observed
from workbench.studies.features import Features
from workbench.studies.groups import Group, correct, effect, estimated, groups
from workbench.studies.held_out import FOLDS, Queries
from workbench.talk import Progress

USUAL = ["jaccard-4", "fertility-difference", "chrf"]
R_SQUARED, LEVELS = "R squared (leave one pair out)", "R squared (leave one pair out, with levels)"
DEFINED = (
    "1 - sum (y - f)^2 / sum (y - m)^2; m: mean of the other pairs; f: m + slopes of the other pairs x (features -"
    " their mean in the pair held out); topics held out too, in {folds} folds; slopes within pairs"
)
LEVELS_DEFINED = (
    "as the other, with features less their mean in the other pairs, and slopes over these pairs' queries at once"
)


class Prediction(Analysis):
    """Whether features of a query's two wordings tell what it loses (`outcome = "gap"`: high less low) or gains by
    training (`"gain"`).

    `features` are of queries, the first of them the overlap whose slope differs between pairs in the mixed model;
    `pair_features` those that pairs are ranked by (all that were measured, if none is named). `flips` are shuffles of
    the features. Only the R squared of pairs that were held out is a claim of prediction.
    """

    features: Annotated[list[str], Field(min_length=1)] = USUAL
    pair_features: list[str] = []
    outcome: Literal["gap", "gain"] = "gap"
    flips: Annotated[int, Field(ge=1_000, le=100_000_000)] = 10_000

    def of(self, evidence: Evidence, progress: Progress) -> list[EffectRow]:
        if "query_similarity" not in evidence.tables:
            raise LswError(
                "There are no features of queries to predict from.",
                cure="Add a section [similarity] to the recipe: it measures them.",
            )
        of_queries = Features(evidence.tables["query_similarity"], ("qid",), self.features)
        of_pairs = Features(evidence.tables["similarity"]) if "similarity" in evidence.tables else None
        chosen = [g for g in groups(evidence, []) if self.outcome == "gap" or g.trained_on is not None]
        if not chosen:
            raise LswError(
                "There is no gain to predict: no run is of a trained system."
                if evidence.runs
                else "No cell has been run.",
                cure='Set `outcome = "gap"`, or add a training to the recipe.' if evidence.runs else "",
                exit_code=1,
            )
        rows: list[EffectRow] = []
        for number, group in enumerate(chosen):
            told = _Told(self, evidence, group)

            def partly(done: int, total: int, before: int = number) -> None:
                progress(before * total + done, len(chosen) * total)

            rows += told.of_queries(of_queries, partly) + told.of_pairs(of_pairs)
        claimed = [row for row in rows if row["effect"] == R_SQUARED]
        correct(claimed, f"{R_SQUARED} of the {self.outcome} in {evidence.measure}")
        for row in claimed:
            row["detail"] = json.dumps(json.loads(row["detail"]) | {"finding": finding(row)}, ensure_ascii=False)
        correct(
            [row for row in rows if row["effect"] == "coefficient"],
            f"coefficients of features for the {self.outcome} in {evidence.measure}",
        )
        return rows


def finding(row: EffectRow) -> str:
    """What may be said of an R squared of pairs held out: that something is predicted only if its interval lies above 0
    and p, corrected, is below .05."""
    low, high, p = row.get("ci_low"), row.get("ci_high"), row.get("p_corrected")
    if row.get("estimate") is None or low is None or high is None or p is None:
        return "not known"
    if low > 0 and p < ALPHA:
        return "the features predict it in pairs that were not used"
    return "the features do worse than the mean of other pairs" if high < 0 else "nothing is shown"


@dataclass(frozen=True)
class _Outcome:
    """What queries lose or gain, the mean over models."""

    keys: list[tuple[str, str, str]]
    values: Values
    topics: list[str]
    models: int
    left_out: int
    without: list[str]


class _Told:
    """The rows of one group."""

    def __init__(self, how: Prediction, evidence: Evidence, group: Group) -> None:
        self.how, self.evidence, self.group = how, evidence, group
        self.outcome = _outcome(evidence, group, how.outcome == "gain")
        self.counts: dict[str, Any] = {
            "outcome": how.outcome, "queries not evaluated in all runs of a pair": self.outcome.left_out,
            "pairs without runs": self.outcome.without, "cells missing": evidence.missing,
        }  # fmt: skip

    def _row(self, name: str, unit: str, feature: str = "", **values: Any) -> EffectRow:
        detail = self.counts | values.pop("detail", {})
        levels = {"feature": feature} if feature else {}
        models = {"models": self.outcome.models} if "models" not in values else {}
        return effect(self.group, name, self.evidence.measure, unit, levels, detail=detail, **models, **values)

    def of_queries(self, table: Features, progress: Progress) -> list[EffectRow]:
        """Coefficients, the mixed model beside them, and R squared."""
        measure, how = self.evidence.measure, self.how
        unit = f"{measure} per standard deviation within pairs"
        found = {name: table.of(name, self.group.system) for name in dict.fromkeys(how.features)}
        known = {name: feature for name, feature in found.items() if not isinstance(feature, str)}
        why = {name: reason for name, reason in found.items() if isinstance(reason, str)}
        columns = {name: [feature.values.get(key) for key in self.outcome.keys] for name, feature in known.items()}
        for name, column in [*columns.items()]:
            if all(value is None for value in column):
                why[name] = "no query has a value"
                del columns[name]
        names = list(columns)
        x = np.array([[np.nan if v is None else v for v in columns[name]] for name in names], np.float64).T
        whole: Mask = np.zeros(len(self.outcome.keys), np.bool_)
        if names:
            whole = np.asarray(~np.isnan(x).any(axis=1))
        self.counts["queries without a feature"] = int((~whole).sum()) if names else 0
        self.counts["missing values"] = {name: int(np.isnan(x[:, i]).sum()) for i, name in enumerate(names)}
        if not whole.any():
            reason = "no query has both an outcome and its features"
            rows = [self._row("coefficient", unit, name, why_not=why.get(name, reason)) for name in found]
            return [*rows, self._row(R_SQUARED, "share of variance", why_not=reason)]
        keys = [key for key, keep in zip(self.outcome.keys, whole, strict=True) if keep]
        pairs = _numbers([f"{low}-{high}" for low, high, _ in keys])
        topics = _numbers([topic for topic, keep in zip(self.outcome.topics, whole, strict=True) if keep])
        data = Queries(self.outcome.values[whole], x[whole], pairs, topics)
        used, given = _varying(data, names)
        why |= given
        rows = [self._row("coefficient", unit, name, why_not=why[name]) for name in found if name in why]
        if not used:
            return [*rows, self._row(R_SQUARED, "share of variance", why_not="no feature varies within pairs")]
        data = Queries(data.outcome, data.features[:, used], pairs, topics)
        kept = [names[i] for i in used]
        both = data.pairs > 1

        def of(weights: list[Values]) -> Values:
            parts = [data.slopes(weights[0])] + ([data.r_squared(weights[0])] if both else [])
            return np.hstack(parts)

        steps = how.resamples + how.flips
        spread = spread_of(
            of, [data.topics], how.confidence, how.resamples, how.seed, lambda done, _: progress(done, steps)
        )
        common: dict[str, Any] = {"n": len(keys), "n_groups": data.topics}
        beside = _mixed(data, how.confidence)
        for i, name in enumerate(kept):
            detail = {
                "tokenizer": known[name].tokenizer, "pairs": data.pairs, "standard deviation": data.scale[i],
                "interval": "t of the cluster bootstrap over topics, for these pairs", "degrees": spread.degrees[i],
            }  # fmt: skip
            test = None if np.isnan(spread.p[i]) else "t of the cluster bootstrap"
            values = estimated(spread, i, how.confidence) | {"test": test, "p_value": spread.p[i]}
            rows.append(self._row("coefficient", unit, name, detail=detail, **values, **common))
            rows.append(self._row("mixed model", unit, name, **beside(i), **common))
        if not both:
            why_not = "there is one pair: none can be held out"
            return [*rows, self._row(R_SQUARED, "share of variance", why_not=why_not, **common)]
        at = len(kept)
        shuffled = data.shuffled(how.flips, how.seed, lambda done, _: progress(how.resamples + done, steps))
        p = (int((shuffled >= spread.estimate[at] - 1e-12).sum()) + 1) / (how.flips + 1)
        detail = {
            "defined": DEFINED.format(folds=min(FOLDS, data.topics)), "features": kept, "pairs": data.pairs,
            "interval": "t of the cluster bootstrap over topics, for these pairs", "shuffles": how.flips,
        }  # fmt: skip
        test = "features shuffled within pairs, one-sided"
        rows.append(
            self._row(
                R_SQUARED, "share of variance", detail=detail, test=test, p_value=p,
                **estimated(spread, at, how.confidence), **common,
            )
        )  # fmt: skip
        detail = detail | {"defined": LEVELS_DEFINED, "finding": "no claim"}
        rows.append(
            self._row(LEVELS, "share of variance", detail=detail, **estimated(spread, at + 1, how.confidence), **common)
        )
        return rows

    def of_pairs(self, table: Features | None) -> list[EffectRow]:
        """Rank correlations over pairs: no claim."""
        from scipy import stats

        unit = "rank correlation over pairs"
        if table is None:
            return [self._row("rho", unit, why_not="no feature of pairs was measured")]
        means: dict[tuple[str, ...], list[float]] = {}
        for key, value in zip(self.outcome.keys, self.outcome.values, strict=True):
            means.setdefault(key[:2], []).append(float(value))
        rows = []
        for name in self.how.pair_features or table.names:
            feature = table.of(name, self.group.system)
            if isinstance(feature, str):
                if self.how.pair_features:
                    rows.append(self._row("rho", unit, name, why_not=feature))
                continue
            pairs = [pair for pair in means if pair in feature.known]
            x, y = [feature.known[pair] for pair in pairs], [float(np.mean(means[pair])) for pair in pairs]
            detail = {
                "tokenizer": feature.tokenizer, "pairs": ["-".join(pair) for pair in pairs], "finding": "no claim",
                "pairs without a value": len(means) - len(pairs), "needed": significant_rho(len(pairs)),
            }  # fmt: skip
            if len(pairs) < 3:
                rows.append(self._row("rho", unit, name, why_not=f"{len(pairs)} pairs have a value", detail=detail))
            elif np.ptp(x) == 0 or np.ptp(y) == 0:
                rows.append(self._row("rho", unit, name, why_not="it is the same in every pair", detail=detail))
            else:
                rho = float(stats.spearmanr(x, y).statistic)
                rows.append(self._row("rho", unit, name, estimate=rho, n=len(pairs), detail=detail))
        return rows


def _numbers(names: list[str]) -> Any:
    """A number for each name, in the order that they come."""
    known = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], np.int64)


def _varying(data: Queries, names: list[str]) -> tuple[list[int], dict[str, str]]:
    """The features that can be told apart within pairs, and why not the others: each by those before it."""
    used: list[int] = []
    why = {}
    centred = data.centred(data.features)
    for i, name in enumerate(names):
        own, before = centred[:, i], centred[:, used]
        left = own - before @ np.linalg.lstsq(before, own, rcond=None)[0] if used else own
        size = float(np.abs(data.features[:, i]).max()) * np.sqrt(len(own))
        if np.linalg.norm(own) <= 1e-9 * size:
            why[name] = "it does not vary within pairs"
        elif np.linalg.norm(left) <= 1e-6 * np.linalg.norm(own):
            why[name] = f"cannot be told apart from {', '.join(names[j] for j in used)}"
        else:
            used.append(i)
    return used, why


def _mixed(data: Queries, confidence: float) -> Any:
    """A mixed model's estimate of each coefficient: a function of its number."""
    from scipy import stats

    x = data.centred(data.standard)
    fixed = np.column_stack([np.ones(len(x)), x])
    random = {
        "pair": Random(data.pair), "overlap by pair": Random(data.pair, x[:, 0]), "topic": Random(data.topic),
    }  # fmt: skip
    random = {name: one for name, one in random.items() if one.levels > 1}
    fit = mixed(data.outcome, fixed, list(random.values()))

    def of(column: int) -> dict[str, Any]:
        if isinstance(fit, str):
            return {"why_not": fit}
        estimate, error = float(fit.coefficients[1 + column]), float(np.sqrt(fit.covariance[1 + column, 1 + column]))
        wide = float(stats.norm.ppf((1 + confidence) / 2)) * error
        detail = {
            "interval": "normal, variances as known",
            "model": "features + (1 | pair) + (0 + overlap | pair) + (1 | topic)",
            "deviations": dict(zip(random, fit.deviations.tolist(), strict=True)) | {"residual": fit.residual},
        }  # fmt: skip
        bounds = {"ci_low": estimate - wide, "ci_high": estimate + wide, "confidence": confidence}
        return {"estimate": estimate, "detail": detail} | bounds

    return of


def _outcome(evidence: Evidence, group: Group, gain: bool) -> _Outcome:
    """High less low of each query (or trained less base, on low), the mean over models, in each pair."""
    by_pair: dict[str, list[tuple[Observed, Observed]]] = {}
    tested = evidence.pairs or list(
        dict.fromkeys(run.pair for run in group.runs if run.query_variety != run.document_variety)
    )
    high = {
        (run.cell, run.seed, run.document_variety): run
        for run in group.runs
        if run.query_variety == run.document_variety
    }
    for run in group.runs:
        other = evidence.base(run) if gain else high.get((run.cell, run.seed, run.document_variety))
        if run.pair in tested and run.query_variety != run.document_variety and other:
            by_pair.setdefault(run.pair, []).append((run, other) if gain else (other, run))
    keys, values, topics, left_out, seeds = [], [], [], 0, set()
    for runs in by_pair.values():
        ids = [run.run_id for both in runs for run in both]
        shared = evidence.shared(ids)
        left_out += evidence.evaluations.left_out(tuple(ids), shared)
        if not shared.any():
            continue
        mean = np.mean([evidence.gains(one.run_id, other.run_id) for one, other in runs], axis=0)
        low = next(run for run in runs[0] if run.query_variety != run.document_variety)
        seeds |= {run.seed for run, _ in runs}
        for at in np.flatnonzero(shared):
            keys.append((low.query_variety, low.document_variety, evidence.evaluations.qids[at]))
            topics.append(evidence.units[at])
        values.append(mean[shared])
    there = {f"{low}-{high}" for low, high, _ in keys}
    return _Outcome(
        keys, np.concatenate(values) if values else np.zeros(0), topics, len(seeds), left_out,
        [pair for pair in tested if pair not in there],
    )  # fmt: skip
