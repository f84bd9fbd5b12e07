"""What a finished `zero_shot_yue_zh` leaves in the store, by SQL and by command, as a user would look at it."""

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import ir_measures
import pytest

from store import Store
from store.query import select
from tests.conftest import LSW, ROOT, Lsw, cut
from workbench.collections.folder import MINI, Folder
from workbench.text import convert

RECIPE = "zero_shot_yue_zh"
SYSTEMS = {"bm25", "bm25-4grams", "bge-m3", "colbert-xm", "bge-m3 >> mt5"}
TRAINED = ("ca-fr", "high-only", "mixed")
HIGH = ("fr", "zh")


def ask(store: Store, sql: str) -> list[tuple[object, ...]]:
    return select(store, sql)[1]


def mean(store: Store, system: str, query: str, trained: str = "trained_on IS NULL", measure: str = "RR@10") -> float:
    found = ask(
        store,
        f"""SELECT avg(value) FROM measures JOIN runs USING (run_id) WHERE system = '{system}' AND {trained}
        AND query_variety = '{query}' AND measure = '{measure}' AND recipe = '{RECIPE}'""",
    )
    return float(str(found[0][0]))


def test_every_view_is_filled(finished: Store) -> None:
    for view in ("runs", "rankings", "queries", "qrels", "measures", "comparisons", "translations", "finetunes",
                 "stages", "triples", "losses", "scored_queries", "recipe_runs", "recipe_stages"):  # fmt: skip
        assert ask(finished, f"SELECT count(*) > 0 FROM {view}") == [(True,)], view


def test_the_runs_are_those_of_the_recipe(finished: Store) -> None:
    runs = ask(
        finished, f"SELECT system, trained_on, query_variety, document_variety FROM runs WHERE recipe = '{RECIPE}'"
    )
    expected = {(s, None, q, d) for s in SYSTEMS for q, d in (("yue", "zh"), ("zh", "zh"), ("ca", "fr"), ("fr", "fr"))}
    expected |= {(s, on, q, d) for s, t, q, d in expected if "bm25" not in s for on in TRAINED}
    assert set(runs) == expected
    assert len(runs) == len(expected) == 56
    assert ask(finished, "SELECT DISTINCT n_queries, depth, collection, status FROM runs WHERE recipe IS NOT NULL AND scale = 'mini'") == [
        (196, 1000, "mini", "done")
    ]  # fmt: skip


def test_each_run_scored_the_text_of_its_own_variety(finished: Store) -> None:
    """Against the collection's files, in the declared script; and the other variety's text would not pass."""
    mini = Folder("mini", MINI)
    for run_id, variety in ask(finished, f"SELECT run_id, query_variety FROM runs WHERE recipe = '{RECIPE}'"):
        scored = dict(ask(finished, f"SELECT qid, query FROM scored_queries WHERE run_id = '{run_id}'"))  # type: ignore[arg-type]
        table = mini.queries(str(variety))
        texts = convert(table["query"].to_pylist(), str(variety), "simplified")
        assert scored == dict(zip(table["qid"].to_pylist(), texts, strict=True))
    # The check has teeth: the other variety's text of the same query is another one, nearly always.
    yue, zh = (convert(mini.queries(v)["query"].to_pylist(), v, "simplified") for v in ("yue", "zh"))
    assert sum(a != b for a, b in zip(yue, zh, strict=True)) > 0.9 * len(yue)


def test_depth_ranks_and_ties(finished: Store) -> None:
    assert ask(
        finished,
        """
        WITH ordered AS (
            SELECT *, row_number() OVER (PARTITION BY run_id, qid ORDER BY score DESC, docno DESC) - 1 AS expected
            FROM rankings
        ) SELECT count(*) FROM ordered WHERE rank <> expected OR rank >= 1000
        """,
    ) == [(0,)]
    dense = ask(
        finished,
        f"""SELECT DISTINCT count(*) FROM rankings JOIN runs USING (run_id)
        WHERE recipe = '{RECIPE}' AND NOT starts_with(system, 'bm25') GROUP BY run_id, qid""",
    )
    assert dense == [(496,)]  # every passage: the reranked ones first, the others after


def test_base_models_are_honest_rankers(finished: Store) -> None:
    for query in HIGH:
        bm25 = mean(finished, "bm25", query)
        assert mean(finished, "bge-m3", query) >= bm25 / 2
        assert mean(finished, "colbert-xm", query) >= bm25 / 2
        # What is reranked is put where it belongs about as well as before: the rest of what it does is on low.
        assert mean(finished, "bge-m3 >> mt5", query) >= mean(finished, "bge-m3", query) - 0.03


def test_bm25_agrees_with_the_collection_card(finished: Store) -> None:
    """The card's figures, by an independent scorer."""
    for query, figure in (("zh", 0.847), ("yue", 0.784), ("fr", 0.632), ("ca", 0.196)):
        assert mean(finished, "bm25", query) == pytest.approx(figure, abs=0.02)


def test_fine_tuning_is_recorded(finished: Store) -> None:
    rows = ask(
        finished,
        "SELECT system, trained_on, weights_changed, examples > 0, steps > 0, loss_first, loss_last, checkpoint FROM finetunes",
    )
    assert {r[:2] for r in rows} == {(system, on) for system in ("bge-m3", "colbert-xm", "mt5") for on in TRAINED}
    for _, trained_on, changed, examples, steps, first, last, checkpoint in rows:
        assert (changed, examples, steps) == (True, True, True)
        assert trained_on != "ca-fr" or float(str(last)) < float(str(first))  # the French wordings are known already
        assert (finished.folder / str(checkpoint) / "model.safetensors").exists()
    assert ask(finished, "SELECT count(*) > 20 FROM losses GROUP BY model_key") == [(True,)] * 9
    # Controls see as many triples for as many steps, their queries put back into French.
    assert ask(finished, "SELECT count(DISTINCT (examples, steps)) FROM finetunes GROUP BY system") == [(1,)] * 3
    counts = dict(ask(finished, "SELECT DISTINCT trained_on, counts->>'replayed' FROM finetunes ORDER BY ALL"))  # type: ignore[arg-type]
    assert counts["ca-fr"] is None and counts["high-only"] == "972" and 400 < int(str(counts["mixed"])) < 572


def test_triples_are_train_only_and_negative(finished: Store) -> None:
    assert ask(
        finished,
        """
        SELECT count(*) FROM triples t
        LEFT JOIN queries q ON q.qid = t.qid AND q.variety = 'ca' AND q.query = t.query AND q.split = 'train'
        LEFT JOIN qrels p ON p.qid = t.qid AND p.docno = t.docno_positive AND p.label > 0
        LEFT JOIN qrels n ON n.qid = t.qid AND n.docno = t.docno_negative AND n.label > 0
        WHERE q.qid IS NULL OR p.qid IS NULL OR n.qid IS NOT NULL OR t.score_negative > t.score_positive * 0.95
        """,
    ) == [(0,)]


def test_provenance_walks_from_a_ranking_to_everything(finished: Store, lsw: Lsw) -> None:
    run_id = ask(
        finished,
        "SELECT run_id FROM runs WHERE system = 'bge-m3 >> mt5' AND trained_on = 'ca-fr' AND query_variety = 'yue'",
    )[0][0]
    shown = " ".join(lsw("runs", "show", run_id, "--store", finished.folder).stdout.split())
    assert "tuning.learning_rate=" in shown and "None" not in shown.split("behind it")[1]
    told = json.loads(lsw("runs", "show", run_id, "--store", finished.folder, "--json").stdout)
    kinds = {row["kind"] for row in told["lineage"]}
    assert {"rerank", "retrieve", "finetune", "checkpoint", "mined", "translate", "queries", "passages", "qrels",
            "index"} <= kinds  # fmt: skip
    tuned = next(row for row in told["lineage"] if row["kind"] == "finetune")
    assert json.loads(tuned["parameters"])["tuning"]["seed"] == 42
    assert json.loads(tuned["environment"])["packages"]["torch"].startswith("2.")


def test_comparisons_are_the_four_contrasts(finished: Store) -> None:
    rows = ask(
        finished,
        f"""SELECT contrast, system, trained_on, variety, pair FROM comparisons JOIN recipe_runs USING (recipe_run_id)
        WHERE measure = 'RR@10' AND recipe = '{RECIPE}'""",
    )
    counted = {c: sum(r[0] == c for r in rows) for c in ("gap", "gain", "closure", "control")}
    assert counted == {"gap": 28, "gain": 36, "closure": 18, "control": 24}
    assert len(set(rows)) == len(rows) == 106
    assert ask(finished, "SELECT count(*) FROM comparisons WHERE p_value <= 0 OR p_corrected < p_value") == [(0,)]
    families = ask(
        finished, f"SELECT family, family_size, n, n_groups, left_out, models, why_not, \"primary\" FROM comparisons"
        f" JOIN recipe_runs USING (recipe_run_id) WHERE recipe = '{RECIPE}' GROUP BY ALL ORDER BY ALL"
    )  # fmt: skip
    sizes = (("closure", 9), ("control", 12), ("gain", 18), ("gap", 14))
    assert families == [
        (f"{contrast} on {pairs} pairs", size, 196, 98, 0, 1, None, False)
        for contrast, size in sizes for pairs in ("seen", "unseen")
    ]  # fmt: skip


def test_contrasts_agree_with_the_measures(finished: Store) -> None:
    for baseline, run_id, measure, delta, low, high in ask(
        finished,
        "SELECT baseline_run_id, run_id, measure, delta, ci_low, ci_high FROM comparisons WHERE contrast <> 'closure'",
    ):
        means = dict(
            ask(
                finished,
                f"SELECT run_id, avg(value) FROM measures WHERE measure = '{measure}' AND run_id IN ('{baseline}', '{run_id}') GROUP BY 1",
            )  # type: ignore[arg-type]
        )
        assert float(means[run_id]) - float(means[baseline]) == pytest.approx(float(str(delta)), abs=1e-9)
        assert float(str(low)) <= float(str(delta)) <= float(str(high))
    closures = ask(
        finished,
        """
        SELECT c.delta, low.delta - high.delta FROM comparisons c
        JOIN comparisons low ON low.contrast = 'gain' AND (low.system, low.trained_on, low.pair, low.measure, low.recipe_run_id)
            = (c.system, c.trained_on, c.pair, c.measure, c.recipe_run_id) AND low.variety = split_part(c.pair, '-', 1)
        JOIN comparisons high ON high.contrast = 'gain' AND (high.system, high.trained_on, high.pair, high.measure, high.recipe_run_id)
            = (c.system, c.trained_on, c.pair, c.measure, c.recipe_run_id) AND high.variety = split_part(c.pair, '-', 2)
        WHERE c.contrast = 'closure'
        """,
    )
    assert closures
    for closure, difference in closures:
        assert float(str(closure)) == pytest.approx(float(str(difference)), abs=1e-9)


def test_a_second_run_computes_nothing(finished: Store, lsw: Lsw) -> None:
    again = lsw("recipe", "run", RECIPE, "--store", finished.folder)
    assert "0 stages run" in again.stderr
    assert len(again.stdout.splitlines()) <= 44
    assert max(map(len, again.stdout.splitlines())) <= 160
    assert "Did training help?" in again.stdout and "More than high-only?" in again.stdout
    assert "gain on yue" in again.stdout
    assert "gain 18 + 18, control 12 + 12, closure 9 + 9, seen + unseen pairs" in " ".join(again.stdout.split())
    offered = [line.split("lsw ")[1].split("  ")[0] for line in again.stderr.splitlines() if "lsw " in line]
    at = f" --store {finished.folder}"
    [(run_id,)] = ask(finished, f"SELECT recipe_run_id FROM recipe_runs WHERE recipe = '{RECIPE}'")
    assert offered == [f"recipe results {run_id}{at}", f"tui{at}", f"recipe run robustness{at}"]


def test_every_table_is_there_when_it_is_asked_for(finished: Store, lsw: Lsw) -> None:
    at = ("--store", finished.folder)
    whole = lsw("recipe", "results", RECIPE, *at).stdout
    assert whole == lsw("recipe", "run", RECIPE, "--format", "table", *at).stdout
    assert "gain on unseen pairs (18)" in " ".join(whole.split()) and "Holm over 18" in whole
    [(run_id,)] = ask(finished, f"SELECT recipe_run_id FROM recipe_runs WHERE recipe = '{RECIPE}'")
    assert whole == lsw("recipe", "results", str(run_id)[:5], *at).stdout
    shown = lsw("recipe", "results", RECIPE, "--measure", "nDCG@10", *at).stdout
    assert "Gap on unseen pairs in nDCG@10" in shown and "in RR@10" not in shown
    for form in ("json", "csv", "latex", "screen"):
        told = lsw("recipe", "results", RECIPE, "--format", form, *at).stdout
        assert told == lsw("recipe", "run", RECIPE, "--format", form, *at).stdout
    refused = lsw("recipe", "results", RECIPE, "--measure", "nDCG@01", *at, check=2).stderr
    assert "Unknown measure 'nDCG@01'" in refused and "Did you mean 'nDCG@10'" in refused


def test_exports_give_the_same_figures_to_any_tool(finished: Store, lsw: Lsw, tmp_path: Path) -> None:
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    qrels = [
        ir_measures.Qrel(*map(str, r[:2]), int(str(r[2]))) for r in ask(finished, "SELECT qid, docno, label FROM qrels")
    ]
    tested = {r[0] for r in ask(finished, "SELECT qid FROM queries WHERE split = 'test'")}
    qrels = [q for q in qrels if q.query_id in tested]
    for system in ("bm25", "bge-m3 >> mt5"):
        run_id = ask(
            finished,
            f"SELECT run_id FROM runs WHERE system = '{system}' AND query_variety = 'yue' ORDER BY trained_on LIMIT 1",
        )[0][0]
        path = tmp_path / "run.trec"
        lsw("export", run_id, "--to", path, "--store", finished.folder)
        names = ["RR@10", "nDCG@10", "R@1000"]
        theirs = {
            (str(m.measure), m.query_id): m.value
            for m in ir_measures.iter_calc(
                [ir_measures.parse_measure(n) for n in names], qrels, ir_measures.read_trec_run(str(path))
            )
        }
        ours = {
            (m, q): v
            for m, q, v in ask(finished, f"SELECT measure, qid, value FROM measures WHERE run_id = '{run_id}'")
        }
        assert ours.keys() == theirs.keys()
        assert all(float(str(ours[k])) == pytest.approx(v, abs=1e-9) for k, v in theirs.items())
        rows = len(path.read_text("utf-8").splitlines())
        (tmp_path / "run.csv").write_text(
            lsw("export", run_id, "--format", "csv", "--store", finished.folder).stdout, "utf-8"
        )
        lsw("export", run_id, "--format", "parquet", "--to", tmp_path / "run.parquet", "--store", finished.folder)
        assert len(pc.read_csv(tmp_path / "run.csv")) == len(pq.read_table(tmp_path / "run.parquet")) == rows


def test_an_exported_run_comes_back(finished: Store, lsw: Lsw, tmp_path: Path) -> None:
    run_id = str(ask(finished, "SELECT run_id FROM runs WHERE system = 'bm25' AND query_variety = 'yue'")[0][0])
    path, other = tmp_path / "run.trec", tmp_path / "other"
    lsw("export", run_id, "--to", path, "--store", finished.folder)
    qrels = tmp_path / "test.qrels"
    tested = ask(
        finished,
        "SELECT DISTINCT qid, docno, label FROM qrels JOIN queries USING (collection, qid) WHERE split = 'test'",
    )
    qrels.write_text("".join(f"{q} 0 {d} {label}\n" for q, d, label in tested), "utf-8")
    come = lsw(
        "import", path, "--qrels", qrels, "--system", "theirs", "--query-variety", "yue", "--store", other, "--json"
    )
    theirs = json.loads(come.stdout)
    assert theirs["means"]["RR@10"] == pytest.approx(mean(finished, "bm25", "yue"), abs=1e-9)
    again = lsw(
        "import", path, "--collection", MINI, "--system", "theirs", "--query-variety", "yue", "--store", other, "--json"
    )
    assert json.loads(again.stdout)["means"]["RR@10"] == pytest.approx(theirs["means"]["RR@10"], abs=1e-9)
    named = lsw(
        "import",
        path,
        "--collection",
        "test",
        "--system",
        "by name",
        "--query-variety",
        "yue",
        "--store",
        other,
        "--json",
    )
    assert json.loads(named.stdout)["means"] == theirs["means"]
    assert (
        "Did you mean 'test'"
        in lsw(
            "import", path, "--collection", "tets", "--system", "x", "--query-variety", "yue", "--store", other, check=2
        ).stderr
    )
    compared = json.loads(
        lsw("compare", theirs["run_id"], json.loads(again.stdout)["run_id"], "--store", other, "--json").stdout
    )
    compared = compared["comparisons"][0]
    assert (compared["delta"], compared["p_corrected"]) == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("q1 Q0 d1 0 1.5\n", "5 columns; 6 expected"),
        ("q1 Q0 d1 0 high tag\n", "Score 'high' is not a finite number"),
        ("q1 Q0 d1 0 nan tag\n", "Score 'nan' is not a finite number"),
        ("q1 Q0 d1 0 2 tag\nq1 Q0 d1 1 1 tag\n", "'d1' is ranked twice for query 'q1'"),
        ("\n", "The run is empty"),
    ],
)
def test_bad_runs_are_refused(lsw: Lsw, tmp_path: Path, text: str, title: str) -> None:
    path = tmp_path / "bad.trec"
    path.write_text(text, "utf-8")
    told = lsw(
        "import",
        path,
        "--collection",
        MINI,
        "--system",
        "x",
        "--query-variety",
        "yue",
        "--store",
        tmp_path / "s",
        check=2,
    )
    assert title in told.stderr
    assert ask(Store(tmp_path / "s"), "SELECT count(*) FROM runs") == [(0,)]


def test_compare_is_the_recipes_comparison(finished: Store, lsw: Lsw) -> None:
    base, tuned, delta, p, low = ask(
        finished,
        "SELECT baseline_run_id, run_id, delta, p_value, ci_low FROM comparisons WHERE contrast = 'gain' AND measure = 'RR@10' LIMIT 1",
    )[0]
    told = json.loads(lsw("compare", base, tuned, "--store", finished.folder, "--json").stdout)["comparisons"][0]
    assert told["delta"] == pytest.approx(float(str(delta)))
    assert told["p_value"] == pytest.approx(float(str(p)), abs=0.01)
    assert told["ci_low"] == pytest.approx(float(str(low)))
    assert told["n_groups"] == 98
    shown = lsw("compare", base, tuned, "--measure", "AP", "--test", "t", "--store", finished.folder).stdout
    assert "paired t" in shown
    assert "AP" in shown


@pytest.mark.parametrize(
    ("command", "title"),
    [
        (["recipe", "run", "zero_shot_yue_hz"], "Unknown recipe 'zero_shot_yue_hz'"),
        (["recipe", "run", RECIPE, "--scale", "paper"], "neither on this machine nor"),
        (["runs", "show", "zzz"], "There is no run 'zzz'"),
        (["compare", "zzz"], "Give at least two runs"),
        (["export", "zzz", "--format", "trek"], "Unknown format 'trek'"),
        (["sql", "SELEC 1"], "The SQL could not be run"),
        (["sql", "DELETE FROM run"], "The SQL could not be run"),
        (
            ["retrieve", "/nowhere", "--system", "bm25", "--query-variety", "yue", "--document-variety", "zh"],
            "does not exist",
        ),
        (["import", "/nowhere", "--system", "x", "--query-variety", "yue", "--collection", "mini"], "There is no file"),
    ],
)
def test_bad_commands_say_one_thing_and_exit_2(finished: Store, lsw: Lsw, command: list[str], title: str) -> None:
    done = lsw(*command, *(() if command[1] == "check" else ("--store", finished.folder)), check=2)
    assert title in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_fault(finished: Store) -> None:
    run_id = ask(finished, "SELECT run_id FROM runs LIMIT 1")[0][0]
    command = [LSW, "export", str(run_id), "--store", str(finished.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as export:
        assert export.stdout
        assert export.stderr
        assert export.stdout.readline().split()[1] == "Q0"
        export.stdout.close()
        assert export.stderr.read() == ""


def test_sql_list_doctor_and_check(finished: Store, lsw: Lsw) -> None:
    at = ("--store", finished.folder)
    csv = lsw("sql", "SELECT system, count(*) AS n FROM runs GROUP BY 1 ORDER BY 1", "--format", "csv", *at).stdout
    assert csv.splitlines()[0] == "system,n"
    assert json.loads(lsw("sql", "SELECT 1 AS one", "--json", *at).stdout) == [{"one": 1}]
    assert len(json.loads(lsw("runs", "list", "--json", *at).stdout)) >= 28
    assert all(row["ok"] or row["optional"] for row in json.loads(lsw("doctor", "--json", *at).stdout))
    assert json.loads(lsw("store", "check", "--json", *at).stdout)["faults"] == []
    assert lsw("store", "path", *at).stdout.strip() == str(finished.folder.resolve())


@pytest.mark.slow
def test_a_folder_of_ones_own_needs_no_python(lsw: Lsw, tmp_path: Path) -> None:
    folder = cut(tmp_path / "mine", ("zh",), ("yue", "zh"), 12)
    told = [
        json.loads(
            lsw("retrieve", folder, "--system", system, "--query-variety", "yue", "--document-variety", "zh", "--script",
                "simplified", "--store", tmp_path / "s", "--json").stdout
        )
        for system in ("bm25", "bge-m3 >> mt5")
    ]  # fmt: skip
    assert [t["collection"] for t in told] == ["mine", "mine"]
    assert all(0 < t["means"]["RR@10"] <= 1 for t in told)


@pytest.mark.slow
def test_real_cantonese_over_mandarin(lsw: Lsw, real: Path, tmp_path: Path) -> None:
    told = lsw(
        "retrieve", real / "yue-zh.sent", "--system", "bm25", "--query-variety", "yue", "--document-variety", "zh",
        "--store", tmp_path, "--json",
    )  # fmt: skip
    row = json.loads(told.stdout)
    assert row["n_queries"] == 1925
    assert row["means"]["RR@10"] == pytest.approx(
        0.895, abs=0.03
    )  # the collection's README; ours is .917, why is not known


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB, full but for half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here; that takes root")
    (place / "filler").write_bytes(bytes(7_500_000))
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_one_clear_error(lsw: Lsw, tiny_disk: Path, tmp_path: Path) -> None:
    folder = cut(tmp_path / "mine", ("zh",), ("yue",), 12)
    done = lsw("retrieve", folder, "--system", "bm25", "--query-variety", "yue", "--document-variety", "zh",
               "--store", tiny_disk / "s", check=2)  # fmt: skip
    assert "is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tiny_disk / "s" / "runs.duckdb").exists()


@pytest.mark.parametrize("room", [4096, 16384])
def test_a_disk_that_fills_up_is_one_clear_error(tmp_path: Path, room: int) -> None:
    """The database's files may not grow past `room` bytes, which is what a full disk looks like to a writer."""
    folder = cut(tmp_path / "mine", ("zh",), ("yue",), 12)
    done = subprocess.run(
        [LSW, "retrieve", str(folder), "--system", "bm25", "--query-variety", "yue", "--document-variety", "zh",
         "--store", str(tmp_path / "s")],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "300"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "runs.duckdb" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "s" / "artifacts").glob(".making*"))


def test_the_other_recipes_run(copied: Store, lsw: Lsw) -> None:
    less = 'retrieval.systems=["bm25", "bge-m3"]'  # the others are slow, and run in other tests
    alone = "fine-tuning.controls=[]"
    for name, *changes in (
        ["pair_ca_fr", less],
        ["zero_shot_oc_fr", less, alone],
        ["cross_family_neuclir", less, alone],
    ):
        told = json.loads(lsw("recipe", "run", name, *changes, "--store", copied.folder, "--json").stdout)
        assert told["recipe_run"]["status"] == "done"
        assert told["comparisons"]
    # All were trained on the same pair: nothing was trained twice.
    assert ask(copied, "SELECT count(*) FROM finetunes") == [(9,)]


def test_robustness_runs_over_every_pair(copied: Store, lsw: Lsw) -> None:
    fewer = 'retrieval.systems=["bm25", "bm25-4grams", "bge-m3", "bge-m3 >> mt5"]'  # the others run in other tests
    command = ("recipe", "run", "robustness", fewer, "reranking.depth=2", "--store", copied.folder, "--json")
    told = json.loads(lsw(*command).stdout)
    gaps = [c for c in told["comparisons"] if c["measure"] == "RR@10"]
    assert len(gaps) == 28
    assert {c["contrast"] for c in gaps} == {"gap"}
    high = {
        (r["system"], r["document_variety"]): r["means"]["RR@10"]
        for r in told["runs"]
        if r["query_variety"] == r["document_variety"]
    }
    for variety in ("en", "fr", "nl", "zh", "id", "it"):
        assert high["bge-m3", variety] >= high["bm25", variety] / 2
    gained = [high["bge-m3 >> mt5", v] - high["bge-m3", v] for v in ("en", "fr", "nl", "zh", "id", "it")]
    assert sum(gained) >= -0.06  # reranking does not lose much more than it gains
