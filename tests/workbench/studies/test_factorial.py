"""Main effects and interactions of simulated grids whose truth is known, and against statsmodels."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from store import LswError
from store.rows import EffectRow
from workbench.comparison.paired import Evaluations
from workbench.significance.clusters import spread_of
from workbench.studies.analyses import ANALYSES
from workbench.studies.crossed import Crossed
from workbench.studies.design import Factor, model, terms_of
from workbench.studies.evidence import Evidence, Level, Observed

SIZE, VARIETIES, INTERACTION = 0.1, -0.02, 0.03
CODED = {"size": "linear", "varieties": "log2"}


def quiet(done: int, total: int) -> None:
    pass


def evidence_of(
    runs: list[Observed], values: list[np.ndarray], factors: dict[str, list[Level]], **more: Any
) -> Evidence:
    cube = np.column_stack(values)[:, :, None]
    known = ~np.isnan(cube[:, :, 0])
    qids = [f"q{i}" for i in range(len(cube))]
    ids = [run.run_id for run in runs]
    evaluations = Evaluations(cube, qids, ids, ["RR@10"], known, ~known, np.ones(len(cube), np.int64))
    return Evidence(evaluations, runs, {}, factors, **more)


def grid(
    seed: int = 1, languages: int = 4, topics: int = 12, models: int = 3, drop: Callable[[int, int, int, int], bool] | None = None,
    noise: float = 0.05, sizes: tuple[Level, ...] = (0, 1, 2), varieties: tuple[Level, ...] = (1, 2, 4), **more: Any,
) -> Evidence:  # fmt: skip
    """size x varieties x models x languages, whose effects are known."""
    rng = np.random.default_rng(seed)
    of_language, of_topic = rng.normal(0, 0.1, languages), rng.normal(0, 0.2, topics)
    runs, values = [], []
    for cell, (i, j) in enumerate((i, j) for i in range(len(sizes)) for j in range(len(varieties))):
        for s in range(models):
            for lang in range(languages):
                if drop and drop(i, j, s, lang):
                    continue
                levels = {"size": sizes[i], "varieties": varieties[j]}
                runs.append(Observed(f"r{len(runs)}", cell, levels, "bge-m3", "mixed", s, f"l{lang}", "fr"))
                x, z = i - 1, j - 1
                mean = 0.4 + of_language[lang] + of_topic + SIZE * x + VARIETIES * z + INTERACTION * x * z
                values.append(mean + rng.normal(0, noise, topics))
    factors: dict[str, list[Level]] = {"size": list(sizes), "varieties": list(varieties)}
    return evidence_of(runs, values, factors, pairs=[f"l{lang}-fr" for lang in range(languages)], **more)


def analysed(evidence: Evidence, factors: dict[str, str] | None = None, **settings: Any) -> list[EffectRow]:
    settings = {"analysis": "factorial", "factors": factors or CODED, "resamples": 300} | settings
    return ANALYSES.part("factorial").model_validate(settings).of(evidence, quiet)


def rows_of(rows: list[EffectRow], effect: str, *factors: str) -> list[EffectRow]:
    return [
        row for row in rows if row["effect"] == effect and (not factors or {*json.loads(row["levels"])} == {*factors})
    ]


def test_effects_of_a_known_grid_are_found() -> None:
    rows = analysed(grid())
    for truth, kind, names in (
        (SIZE, "main", ["size"]), (VARIETIES, "main", ["varieties"]), (INTERACTION, "interaction", ["size", "varieties"]),
    ):  # fmt: skip
        [row] = rows_of(rows, kind, *names)
        assert row["estimate"] == pytest.approx(truth, abs=0.01)
        assert row["ci_low"] <= truth <= row["ci_high"]
        assert 0 < row["p_value"] <= row["p_corrected"]
        assert (row["correction"], row["family_size"], row["n"], row["n_groups"], row["models"]) == (
            "holm",
            3,
            12,
            12,
            3,
        )
        [beside] = rows_of(rows, "mixed model", *names)
        assert beside["estimate"] == pytest.approx(row["estimate"])
        assert "p_value" not in beside
    assert rows_of(rows, "main", "varieties")[0]["unit"] == "RR@10 per doubling of varieties"
    assert rows_of(rows, "interaction")[0]["unit"] == "RR@10 per unit of size and per doubling of varieties"
    assert json.loads(rows_of(rows, "main", "size")[0]["detail"])["few"] == "4 languages are few; 3 models are few"


def test_cell_means_are_means_and_nominal_effects_their_differences() -> None:
    evidence = grid(sizes=("tiny", "small"), varieties=("one", "two", "three"))
    rows = analysed(evidence, {"size": "nominal", "varieties": "nominal"})
    means = {}
    for row in rows_of(rows, "cell mean"):
        levels = json.loads(row["levels"])
        runs = [r.run_id for r in evidence.runs if dict(r.levels) == levels]
        means[levels["size"], levels["varieties"]] = np.mean([evidence.values(r) for r in runs])
        assert row["estimate"] == pytest.approx(means[levels["size"], levels["varieties"]])
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert len(means) == 6
    table = np.array([[means[a, b] for b in ("one", "two", "three")] for a in ("tiny", "small")])
    [size] = rows_of(rows, "main", "size")
    assert json.loads(size["levels"]) == {"size": "small - tiny"}
    assert size["estimate"] == pytest.approx(table[1].mean() - table[0].mean())
    estimates = [row["estimate"] for row in rows_of(rows, "main", "varieties")]
    assert estimates == pytest.approx(table.mean(axis=0) - table.mean())
    estimates = [row["estimate"] for row in rows_of(rows, "interaction")]
    assert estimates == pytest.approx((table[1] - table[0]) - (table[1] - table[0]).mean())


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Effects that differ between languages, topics and models. Percentiles hold it in 71 to 93% of such simulations."""
    times, truth = 200, np.array([SIZE, VARIETIES, INTERACTION])
    cell, of_model, language = (a.ravel() for a in np.meshgrid(range(4), range(3), range(4), indexing="ij"))
    factors = [Factor.of("size", "linear", [0, 1]), Factor.of("varieties", "nominal", ["few", "many"])]
    x = np.column_stack([cell // 2 - 0.5, cell % 2 - 0.5, (cell // 2 - 0.5) * (cell % 2 - 0.5)])
    held = np.zeros(3)
    for seed in range(times):
        rng = np.random.default_rng(seed)
        slopes = [rng.normal(0, sd, (n, 3)) for sd, n in ((0.1, 4), (0.2, 15), (0.05, 3))]
        values = []
        for lang in range(4):
            own = np.flatnonzero(language == lang)
            each = truth + slopes[0][lang] + slopes[1][:, None, :] + slopes[2][of_model[own]][None]
            values.append((each * x[own]).sum(axis=2) + rng.normal(0, 0.2, (15, len(own))))
        data = Crossed(cell, of_model, language, values, [np.arange(15)] * 4)
        terms = model(terms_of(factors, 2), {"size": cell // 2, "varieties": cell % 2}, data.blocks)
        spread = spread_of(lambda drawn, d=data, t=terms: d.coefficients(t, drawn), data.counts, 0.95, 200, seed)
        held += (spread.low <= truth) & (truth <= spread.high)
    low, high = stats.binom.interval(0.999, times, 0.95)
    assert (held >= low).all() and held.mean() <= high, held / times


@given(seed=st.integers(0, 10_000), dropped=st.sampled_from([0.0, 0.15, 0.3]))
@settings(max_examples=20, deadline=None)
def test_coefficients_are_least_squares_of_what_is_there(seed: int, dropped: float) -> None:
    """With languages and models as blocks, whatever is missing, and however a sample weighs it."""
    rng = np.random.default_rng(seed)
    cell, of_model, language = (a.ravel() for a in np.meshgrid(range(6), range(3), range(3), indexing="ij"))
    kept = (rng.random(cell.size) >= dropped) | ((of_model == 0) & (language == 0)) | (cell == 0)
    cell, of_model, language = cell[kept], of_model[kept], language[kept]
    values = [rng.normal(0.4, 0.2, (8, int((language == lang).sum()))) for lang in range(3)]
    topics = [np.sort(rng.integers(0, 6, 8)) for _ in range(3)]
    topics = [np.concatenate([np.arange(6), [0, 5]]) for _ in topics]
    data = Crossed(cell, of_model, language, values, topics)
    factors = [Factor.of("size", "linear", [0, 1, 2]), Factor.of("varieties", "nominal", ["a", "b"])]
    terms = model(terms_of(factors, 2), {"size": cell // 2, "varieties": cell % 2}, data.blocks)
    assert not terms.untold
    drawn = [rng.integers(1, 4, (1, count)).astype(float) for count in data.counts]
    ours = data.coefficients(terms, drawn)[0]
    weight = drawn[0][0, language] * drawn[2][0, of_model]
    means = np.zeros(len(cell))
    for lang in range(3):
        means[language == lang] = np.average(values[lang], axis=0, weights=drawn[1][0, topics[lang]])
    dummies = pd.get_dummies(pd.DataFrame({"l": language, "m": of_model}).astype(str), dtype=float)
    columns = np.column_stack([terms.columns, dummies.to_numpy()]) * np.sqrt(weight)[:, None]
    theirs = np.linalg.lstsq(columns, means * np.sqrt(weight), rcond=None)[0]
    assert ours == pytest.approx(theirs[: len(ours)], abs=1e-6)
    assert (len(cell) == 54) == data.whole


@pytest.mark.parametrize("missing", [False, True])
def test_omega_squared_is_statsmodels(missing: bool) -> None:
    """By hand from its table of type III; a query in a language is a block."""
    evidence = grid(seed=3, noise=0.3, topics=6, drop=(lambda i, j, s, lang: (i, j, s) in ((0, 0, 1), (2, 1, 2)) and lang < 2) if missing else None)  # fmt: skip
    rows = analysed(evidence, {"size": "nominal", "varieties": "log2"})
    long = pd.DataFrame([
        {"y": y, "size": run.levels["size"], "z": np.log2(float(run.levels["varieties"])) - 1, "s": run.seed,
         "block": f"{run.query_variety} {qid}"}
        for run in evidence.runs for qid, y in enumerate(evidence.values(run.run_id))
    ])  # fmt: skip
    table = anova_lm(ols("y ~ C(block) + C(s) + C(size, Sum) * z", long).fit(), typ=3)
    error = table.loc["Residual", "sum_sq"] / table.loc["Residual", "df"]
    total = ((long["y"] - long["y"].mean()) ** 2).sum()
    for name, names in (("C(size, Sum)", ["size"]), ("z", ["varieties"]), ("C(size, Sum):z", ["size", "varieties"])):
        above = table.loc[name, "sum_sq"] - table.loc[name, "df"] * error
        [whole] = rows_of(rows, "omega squared", *names)
        [partial] = rows_of(rows, "partial omega squared", *names)
        assert whole["estimate"] == pytest.approx(above / (total + error), abs=1e-9)
        n = len(long) - table.loc[name, "df"]
        assert partial["estimate"] == pytest.approx(above / (table.loc[name, "sum_sq"] + n * error), abs=1e-9)
    assert ("unbalanced" in json.loads(rows[-1]["detail"])) == missing


def shared(evidence: Evidence, same: Callable[[Observed], bool]) -> Evidence:
    """The same with one run for all varieties where `same` says so."""
    first: dict[tuple[Any, ...], str] = {}
    runs = []
    for r in evidence.runs:
        of = first.setdefault((r.levels["size"], r.seed, r.query_variety), r.run_id) if same(r) else r.run_id
        runs.append(Observed(of, r.cell, r.levels, r.system, r.trained_on, r.seed, r.query_variety, r.document_variety))
    return Evidence(evidence.evaluations, runs, {}, evidence.factors, evidence.pairs)


def test_a_factor_that_changes_no_run_has_no_effect_and_no_run_counts_twice() -> None:
    """Against the same runs, each there once: as bm25 or a control is in a grid of what the others are trained on."""
    evidence = shared(grid(noise=0.3), lambda run: True)
    alone = [run for run in evidence.runs if run.levels["varieties"] == 1]
    once = analysed(Evidence(evidence.evaluations, alone, {}, {"size": [0, 1, 2]}, evidence.pairs), {"size": "linear"})
    rows = analysed(evidence)
    for name in ("main", "mixed model", "omega squared", "partial omega squared"):
        [ours], [theirs] = ([r for r in rows_of(of, name, "size") if "why_not" not in r] for of in (rows, once))
        for column in ("estimate", "ci_low", "ci_high", "p_corrected"):
            assert ours.get(column) == (pytest.approx(theirs[column]) if column in theirs else None), (name, column)
    assert len(rows_of(rows, "cell mean")) == 9
    for kind, names in (("main", ["varieties"]), ("interaction", ["size", "varieties"])):
        [row] = rows_of(rows, kind, *names)
        assert row["why_not"] == "nothing here changes with varieties: the runs are the same at all levels"
        assert json.loads(row["detail"])["runs there again in another cell"] == 72
    made = [row for row in rows if "estimate" in row and row["effect"] != "cell mean"]
    assert not any("varieties" in json.loads(row["levels"]) for row in made)


def test_a_run_in_some_of_the_cells_counts_once_in_shares_of_variance() -> None:
    """By hand: sums of squares without and with a term, a run that all varieties have standing between them."""
    evidence = shared(grid(seed=5, noise=0.3, topics=8), lambda run: run.levels["size"] == 0)
    rows = analysed(evidence)
    long = pd.DataFrame([
        {"run": run.run_id, "block": f"{run.query_variety} {qid}", "y": y, "s": run.seed, "x": x, "z": z, "xz": x * z}
        for run in evidence.runs for qid, y in enumerate(evidence.values(run.run_id))
        for x, z in [(float(run.levels["size"]) - 1, np.log2(float(run.levels["varieties"])) - 1)]
    ])  # fmt: skip
    long = long.groupby(["run", "block"], as_index=False).mean()
    assert len(long) == 7 * 3 * 4 * 8
    blocks = "y ~ C(block) + C(s) + "
    whole = ols(blocks + "x + z + xz", long).fit()
    for others, names in (("z + xz", ["size"]), ("x + xz", ["varieties"]), ("x + z", ["size", "varieties"])):
        size = ols(blocks + others, long).fit().ssr - whole.ssr
        error = whole.ssr / whole.df_resid
        [row] = rows_of(rows, "partial omega squared", *names)
        assert row["estimate"] == pytest.approx((size - error) / (size + (len(long) - 1) * error), abs=1e-9)
    fitted = [row["estimate"] for row in rows_of(rows, "mixed model")]
    assert fitted == pytest.approx(whole.params[["x", "z", "xz"]].to_numpy(), abs=0.02)

    two = grid(sizes=(0, 1), varieties=(1, 2))
    rows = analysed(shared(two, lambda run: run.levels["size"] == 0))
    for name in ("omega squared", "mixed model"):  # what the two differ in, only the larger size tells
        [row] = rows_of(rows, name, "size", "varieties")
        assert row["why_not"] == "terms cannot be told apart, each run counted once"
    assert rows_of(rows, "omega squared", "size")[0]["estimate"] > 0
    assert rows_of(rows, "interaction")[0]["ci_low"] is not None


def test_terms_that_cannot_be_told_apart_say_so() -> None:
    together = analysed(grid(drop=lambda i, j, *_: i != j))
    assert all("why_not" in row for row in rows_of(together, "main") + rows_of(together, "interaction"))
    [row] = rows_of(together, "main", "size")
    assert row["why_not"].startswith("cannot be told apart from log2(varieties)")
    assert len(rows_of(together, "cell mean")) == 3
    assert json.loads(row["detail"])["cells without a run"] == 6

    corner = analysed(grid(drop=lambda i, j, *_: (i, j) == (2, 2)), {"size": "nominal", "varieties": "nominal"})
    [row] = rows_of(corner, "interaction")
    assert "why_not" in row
    assert all("why_not" not in row and row["ci_low"] is not None for row in rows_of(corner, "main"))

    one = analysed(grid(drop=lambda i, *_: i > 0))
    assert "has one level" in rows_of(one, "main", "size")[0]["why_not"]
    assert rows_of(one, "main", "varieties")[0]["estimate"] == pytest.approx(VARIETIES - INTERACTION, abs=0.02)


def test_a_single_language_and_model_is_told() -> None:
    rows = analysed(grid(languages=1, models=1))
    [row] = rows_of(rows, "interaction")
    assert row["models"] == 1
    assert json.loads(row["detail"])["few"].startswith("a single language: nothing is said of others; a single model")
    assert row["ci_low"] < row["estimate"] < row["ci_high"]


def test_queries_that_runs_do_not_share_are_counted() -> None:
    evidence = grid()
    evidence.evaluations.values[0, evidence.evaluations.position["r5"], 0] = np.nan
    [row] = rows_of(analysed(evidence), "interaction")
    assert json.loads(row["detail"])["queries left out"] == 1
    assert row["n"] == 12  # the other languages have it
    evidence.evaluations.values[0] = np.nan
    [row] = rows_of(analysed(evidence), "interaction")
    assert row["n"] == 11


def test_other_factors_are_looked_at_level_by_level_and_seeds_are_models() -> None:
    evidence = grid(models=2)
    both = [
        Observed(r.run_id, r.cell, dict(r.levels) | {"fine-tuning.seeds": f"[{r.seed}]"}, r.system, r.trained_on, r.seed,
                 r.query_variety, r.document_variety)
        for r in evidence.runs
    ]  # fmt: skip
    factors = evidence.factors | {"fine-tuning.seeds": ["[0]", "[1]"]}
    seeds = Evidence(evidence.evaluations, both, {}, factors, evidence.pairs)
    assert rows_of(analysed(seeds), "main")[0]["models"] == 2
    apart = analysed(evidence, {"size": "linear"})
    assert [json.loads(row["levels"]) for row in rows_of(apart, "main")] == [
        {"varieties": n, "size": "per unit"} for n in (1, 2, 4)
    ]
    assert len({row["family"] for row in rows_of(apart, "main")}) == 3


def test_gains_are_over_the_base_of_the_same_cell() -> None:
    evidence = grid(noise=0.02)
    bases, values = [], []
    for run in evidence.runs:
        if run.seed == 0:
            bases.append(
                Observed(
                    f"b{len(bases)}",
                    run.cell,
                    run.levels,
                    run.system,
                    None,
                    None,
                    run.query_variety,
                    run.document_variety,
                )
            )
            values.append(evidence.values(run.run_id) - 0.05 * float(run.levels["size"]))
    runs = [*evidence.runs, *bases]
    own = [evidence.values(run.run_id) for run in evidence.runs]
    gains = evidence_of(runs, [*own, *values], evidence.factors, pairs=evidence.pairs)
    rows = analysed(gains, outcome="gain")
    assert rows_of(rows, "main", "size")[0]["estimate"] == pytest.approx(0.05, abs=0.01)
    assert rows_of(analysed(gains), "main", "size")[0]["estimate"] == pytest.approx(SIZE, abs=0.01)
    [row] = analysed(evidence, outcome="gain")
    assert row["why_not"] == "no run has a base to gain over"
    assert json.loads(row["detail"])["runs without base"] == len(evidence.runs)


@pytest.mark.parametrize(
    ("levels", "coding", "said"),
    [
        ((3,), "nominal", "a single level"), ((0, 1), "log2", "has no logarithm"), (("few", "many"), "linear", "is no number"),
        ((True, False), "log2", "is no number"),
    ],
)  # fmt: skip
def test_a_factor_that_cannot_be_read_is_refused(levels: tuple[Level, ...], coding: str, said: str) -> None:
    with pytest.raises(LswError, match=said) as error:
        analysed(grid(varieties=levels), {"size": "linear", "varieties": coding})
    assert "'varieties'" in error.value.title
    assert error.value.cure


def test_what_is_not_a_design_is_refused() -> None:
    part = ANALYSES.part("factorial")
    with pytest.raises(LswError, match="no factor 'sise'") as error:
        part.model_validate({"analysis": "factorial", "factors": {"sise": "linear"}}).factors(["size"])
    assert "Did you mean 'size'?" in error.value.cure
    for wrong in ({"factors": {}}, {"factors": {"size": "cubic"}}, {}):
        with pytest.raises(ValidationError):
            part.model_validate({"analysis": "factorial", **wrong})
    evidence = grid(models=2)
    same = [Observed(r.run_id, r.cell, r.levels, r.system, r.trained_on, 7, r.query_variety, r.document_variety) for r in evidence.runs]  # fmt: skip
    with pytest.raises(LswError, match="2 runs of one cell"):
        analysed(Evidence(evidence.evaluations, same, {}, evidence.factors, evidence.pairs))


def test_a_list_counts_its_items() -> None:
    rows = analysed(grid(varieties=('["ca"]', '["ca", "oc"]', '["ca", "oc", "it", "en"]')))
    assert rows_of(rows, "main", "varieties")[0]["estimate"] == pytest.approx(VARIETIES, abs=0.01)


def test_three_factors_interact_on_request() -> None:
    rng = np.random.default_rng(2)
    runs, values = [], []
    for cell in range(8):
        a, b, c = cell // 4, cell // 2 % 2, cell % 2
        levels = {"size": a, "varieties": 2**b, "related": bool(c)}
        for s in range(2):
            for lang in ("ca", "oc"):
                runs.append(Observed(f"r{len(runs)}", cell, levels, "e5", "mixed", s, lang, "fr"))
                values.append(0.3 + 0.2 * a * b * c + rng.normal(0, 0.02, 8))
    factors: dict[str, list[Level]] = {"size": [0, 1], "varieties": [1, 2], "related": [False, True]}
    coded = {"size": "linear", "varieties": "log2", "related": "nominal"}
    evidence = evidence_of(runs, values, factors)
    assert len(rows_of(analysed(evidence, coded), "interaction")) == 3
    rows = analysed(evidence, coded, order=3)
    [row] = rows_of(rows, "interaction", "size", "varieties", "related")
    means = np.array([np.mean([evidence.values(r.run_id) for r in runs if r.cell == cell]) for cell in range(8)])
    table = means.reshape(2, 2, 2)
    assert row["estimate"] == pytest.approx(np.diff(np.diff(np.diff(table, axis=0), axis=1), axis=2).item())
    assert json.loads(row["levels"])["related"] == "True - False"
    assert (row["family_size"], row["ci_low"] < 0.2 < row["ci_high"]) == (7, True)
