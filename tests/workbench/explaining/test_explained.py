"""The parts of a score against the score that the run recorded, for every sort of run; and what is refused."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from store import LswError, Store
from store.browse import passage_files, wordings
from store.passages import Passages
from store.query import ranking, runs
from store.rows import RunRow
from tests.workbench.explaining.conftest import SYSTEMS
from tests.workbench.plans.test_windows import Silent
from tests.workbench.systems.test_bm25 import expected
from workbench.collections.folder import MINI
from workbench.engine.execute import execute
from workbench.explaining import explained as room
from workbench.explaining._kept import KEPT, Kept
from workbench.explaining.explained import explained, needs_model
from workbench.plans.import_run import import_plan
from workbench.stages import KINDS as STAGES
from workbench.systems.base import System
from workbench.systems.bm25 import BM25
from workbench.text import terms

KIND = {
    "bge-m3": "similarity", "colbert-xm": "MaxSim", "bm25 >> mt5": "score", "rrf(bm25, bge-m3)": "reciprocal ranks",
    "0.5 * bm25 + 2 * bge-m3": "weighted scores",
}  # fmt: skip
"""Of all other systems: BM25 terms."""


def run_of(store: Store, system: str) -> RunRow:
    [run] = [r for r in runs(store) if r["system"] == system]
    return run


def passages_of(store: Store) -> dict[str, str]:
    [file] = passage_files(store, "small", "fr")
    table = pa.Table.from_batches(list(Passages(Path(file)).batches()))
    return dict(zip(table["docno"].to_pylist(), table["text"].to_pylist(), strict=True))


def found(store: Store, run: RunRow) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for row in ranking(store, run["run_id"]).to_pylist():
        out.setdefault(row["qid"], {})[row["docno"]] = row["score"]
    return out


@pytest.mark.parametrize("system", SYSTEMS)
def test_parts_sum_to_the_recorded_score(why: Store, system: str) -> None:
    run, every = run_of(why, system), passages_of(why)
    asked = wordings(why, [run["run_id"]])[run["run_id"]]
    checked = 0
    for qid, recorded in list(found(why, run).items())[:3]:
        others = [docno for docno in every if docno not in recorded]
        assert others
        texts = {docno: every[docno] for docno in [*list(recorded)[:7], *others[:2]]}
        said = explained(why, run, asked[qid], texts)
        assert (said.kind, said.why_not) == (KIND.get(system, "BM25 terms"), "")
        assert said.scores.keys() == texts.keys()  # also what the run did not find
        for docno, parts in said.portions.items():
            assert math.fsum(part.value for part in parts) == pytest.approx(said.scores[docno], abs=1e-5)
            for part in parts:
                for text, spans in ((asked[qid], part.query), (texts[docno], part.passage)):
                    assert all(0 <= start < end <= len(text) for start, end in spans)
        kept = list(recorded)[: 5 if ">> mt5" in system else 7]
        assert said.recorded.keys() == set(kept)
        for docno in kept:
            assert said.scores[docno] == pytest.approx(recorded[docno], rel=1e-5, abs=1e-5)
            checked += 1
        assert said.differs < 1e-4 and "not those of the run" not in said.says
    assert checked > 5


def test_bm25_of_passages_that_were_not_found_is_its_formula_too(why: Store) -> None:
    """Terms, counts and idf from the formula computed apart, over all passages."""
    run, texts = run_of(why, "bm25"), passages_of(why)
    table = pa.table({"docno": list(texts), "text": list(texts.values())})
    asked = wordings(why, [run["run_id"]])[run["run_id"]]
    having = Counter(term for text in texts.values() for term in set(terms(text, "fr")))
    for qid in list(asked)[:5]:
        want = expected(table, pa.table({"qid": [qid], "query": [asked[qid]]}), ("ca", "fr"), "words")
        said = explained(why, run, asked[qid], texts)
        for docno, score in said.scores.items():
            assert score == pytest.approx(want.get((qid, docno), 0.0), rel=1e-6)
            assert [part.what for part in said.portions[docno]] == list(dict.fromkeys(terms(asked[qid], "ca")))
            for part in said.portions[docno]:
                assert part.facts["df"] == having[part.what]
                assert part.facts["tf"] == len(part.passage) == terms(texts[docno], "fr").count(part.what)
                assert {texts[docno][start:end].casefold() for start, end in part.passage} <= {part.what}
                assert {asked[qid][start:end].casefold() for start, end in part.query} == {part.what}


def test_maxsim_names_the_tokens_that_are_most_alike(why: Store) -> None:
    """Against sentence-transformers' own vectors and tokens."""
    from workbench.systems import multi_vector

    run, texts = run_of(why, "colbert-xm"), dict(list(passages_of(why).items())[:6])
    [qid, *_], asked = found(why, run), wordings(why, [run["run_id"]])[run["run_id"]]
    said = explained(why, run, asked[qid], texts)
    model = multi_vector.load(MINI.parent / "models" / "colbert-xm", 32, 64)
    multi_vector.speak(model, "ca")
    query = np.asarray(model.encode_query([asked[qid]], show_progress_bar=False)[0])
    multi_vector.speak(model, "fr")
    for docno, text in texts.items():
        passage = np.asarray(model.encode_document([text], show_progress_bar=False)[0])
        best = (query @ passage.T).max(axis=1)
        parts = said.portions[docno]
        assert [part.value for part in parts] == pytest.approx(best.tolist(), abs=1e-4)
        for part in parts:
            written = [asked[qid][start:end] for start, end in part.query]
            assert written == ([part.what] if part.query else [])
            assert [text[start:end] for start, end in part.passage] == ([part.facts["token"]] if part.passage else [])
    # The query's tokens leave nothing of it out.
    covered = {at for part in parts for start, end in part.query for at in range(start, end)}
    assert covered == {at for at, character in enumerate(asked[qid]) if not character.isspace()}


def test_a_similarity_of_what_was_not_found_is_the_models(why: Store) -> None:
    from sentence_transformers import SentenceTransformer

    run, texts = run_of(why, "bge-m3"), passages_of(why)
    asked = wordings(why, [run["run_id"]])[run["run_id"]]
    recorded = found(why, run)
    qid = next(iter(recorded))
    others = {docno: text for docno, text in texts.items() if docno not in recorded[qid]}
    assert len(others) > 3
    said = explained(why, run, asked[qid], others)
    model = SentenceTransformer(str(MINI.parent / "models" / "bge-m3"))
    model.max_seq_length = 64
    scores = model.encode(list(others.values())) @ model.encode(asked[qid])
    assert list(said.scores.values()) == pytest.approx(scores.tolist(), abs=1e-5)
    assert (said.recorded, said.portions) == ({}, {})


def test_a_fused_run_names_the_runs_that_it_is_made_of(why: Store) -> None:
    run, texts = run_of(why, "rrf(bm25, bge-m3)"), passages_of(why)
    asked = wordings(why, [run["run_id"]])[run["run_id"]]
    parts = {run_of(why, system)["run_id"]: system for system in ("bm25", "bge-m3")}
    qid = next(iter(found(why, run)))
    orders = {of: list(found(why, run_of(why, system)).get(qid, {})) for of, system in parts.items()}
    for docno, portions in explained(why, run, asked[qid], texts).portions.items():
        assert (
            [part.what for part in portions] == [parts[part.facts["run_id"]] for part in portions] == ["bm25", "bge-m3"]
        )
        for part in portions:
            order = orders[part.facts["run_id"]]
            rank = order.index(docno) if docno in order else None
            assert part.facts["rank"] == rank
            assert part.value == (0 if rank is None else pytest.approx(1 / (61 + rank)))


def test_a_model_is_loaded_once_and_that_is_said(why: Store) -> None:
    KEPT.clear()
    texts, notes = dict(list(passages_of(why).items())[:2]), list[str]()
    run = run_of(why, "bge-m3")
    for first, query in ((True, "el gat"), (False, "el gos")):
        assert needs_model(why, run) is first
        explained(why, run, query, texts, notes.append)
    explained(why, run_of(why, "bm25 >> mt5"), "el gat", texts, notes.append)
    assert notes == ["loading bge-m3", "loading mt5"]
    assert [needs_model(why, run_of(why, system)) for system in ("bm25", "rrf(bm25, bge-m3)", "colbert-xm")] == [
        False, False, True,
    ]  # fmt: skip


def test_of_models_the_last_ones_are_kept_while_there_is_room() -> None:
    kept, made = Kept(most=3, size=10), list[str]()

    def get(key: str, size: int) -> None:
        assert kept.get(key, size, lambda: made.append(key) or key) == key

    for key in "abacd":  # d is the fourth: b, used longest ago, goes
        get(key, 2)
    assert made == [*"abcd"] and [key in kept for key in "abcd"] == [True, False, True, True]
    get("large", 8)  # leaves room for one of 2
    assert [key in kept for key in ("a", "c", "d", "large")] == [False, False, True, True]
    get("huge", 99)
    assert [key in kept for key in ("d", "large", "huge")] == [False, False, True]


def test_what_is_gone_is_named_with_its_cure(why: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run, texts = run_of(why, "bge-m3"), {"x": "rien"}
    model = why.folder.parent / "models" / "bge-m3"
    model.rename(aside := model.with_name("aside"))
    try:
        with pytest.raises(LswError, match=f"The model of the run {run['run_id']} is gone") as refused:
            explained(why, run, "el gat", texts)
        assert str(model) in refused.value.detail and "Run the recipe again" in refused.value.cure
    finally:
        aside.rename(model)
    with pytest.raises(LswError, match="The passage 'x' is not in the index"):
        explained(why, run, "el gat", texts)
    gone = Store(why.folder)
    gone.artifacts.folder = why.folder / "elsewhere"
    with pytest.raises(LswError, match=r"The index of the run .* is gone"):
        explained(gone, run_of(why, "bm25"), "el gat", texts)
    monkeypatch.setattr(BM25, "version", 3)
    with pytest.raises(LswError, match="made by another bm25 than this lsw has") as refused:
        explained(why, run_of(why, "bm25"), "el gat", texts)
    assert refused.value.detail == "version 2; here is version 3."


def test_other_texts_than_were_indexed_are_refused(why: Store) -> None:
    docno = next(iter(passages_of(why)))
    with pytest.raises(LswError, match=f"The passage '{docno}' has 3 tokens, and .* vectors in the index"):
        explained(why, run_of(why, "colbert-xm"), "el gat", {docno: "a"})


def test_another_score_than_the_recorded_one_is_said(why: Store) -> None:
    run, texts = run_of(why, "bm25"), passages_of(why)
    asked = wordings(why, [run["run_id"]])[run["run_id"]]
    qid, recorded = next(iter(found(why, run).items()))
    docno = next(iter(recorded))
    said = explained(why, run, asked[qid], {docno: texts[docno] + " et encore bien d'autres mots " * 9})
    assert said.differs == pytest.approx(abs(said.scores[docno] - recorded[docno])) and said.differs > 0.1
    assert "These scores are not those of the run" in said.says


def test_what_nobody_can_take_apart_says_why(why: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run, texts = run_of(why, "bm25"), passages_of(why)
    asked = wordings(why, [run["run_id"]])[run["run_id"]]
    qid, recorded = next(iter(found(why, run).items()))
    monkeypatch.setattr(BM25, "explain", System.explain)
    said = explained(why, run, asked[qid], texts)
    assert said.why_not == "lsw does not know how a system of the architecture bm25 scores."
    assert (said.says, said.scores, said.recorded) == ("", {}, recorded)
    monkeypatch.delitem(room.KINDS, "retrieve")
    assert "a stage of the kind 'retrieve'" in explained(why, run, "el gat", texts).why_not
    assert not needs_model(why, run)


def test_every_stage_that_makes_a_run_is_known() -> None:
    making = {name for name in STAGES.names() if "run" in STAGES.part(name).tables}
    assert making == set(room.KINDS)


def test_an_imported_run_shows_its_scores_alone(why: Store, tmp_path: Path) -> None:
    run, texts = run_of(why, "bm25"), passages_of(why)
    asked = wordings(why, [run["run_id"]])[run["run_id"]]
    qid, docno = next(iter(asked)), next(iter(texts))
    (tmp_path / "run.trec").write_text(f"{qid} Q0 {docno} 1 7.5 x\n", "utf-8")
    plan, stage = import_plan(why, tmp_path / "run.trec", "theirs", None, "ca", "fr", "small", None)
    execute(plan, why, Silent())
    [imported] = [r for r in runs(why) if r["run_id"] == stage.run_id]
    said = explained(why, imported, asked[qid], texts)
    assert "This run was imported" in said.why_not
    assert (said.scores, said.portions, said.recorded) == ({}, {}, {docno: 7.5})
    assert not needs_model(why, imported)
