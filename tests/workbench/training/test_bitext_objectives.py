"""Objectives that learn from parallel texts or from a reranker: their first losses as the literature has them."""

from pathlib import Path
from typing import Any

import numpy as np
import ot
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from store import LswError
from tests.workbench.training.test_finetune import MODELS, nothing, steady, tuning, weights
from workbench.systems import SYSTEMS, multi_vector
from workbench.systems._encoding import Computing
from workbench.systems.base import Reranker
from workbench.training import distributed, encoders
from workbench.training.finetune import finetune, objective_of
from workbench.training.held_out import HeldOut
from workbench.training.needs import Given
from workbench.training.objectives import OBJECTIVES
from workbench.training.objectives.base import ALIGNMENT, Training
from workbench.training.objectives.optical import Optical, counted

LOW = ["quan surt el tren cap a Barcelona", "on és la biblioteca", "què mengen els gats", "qui va inventar el judo",
       "per què és blau el cel", "com es fa el pa"]  # fmt: skip
HIGH = ["quand part le train pour Barcelone", "où est la bibliothèque", "que mangent les chats", "qui a inventé le judo",
        "pourquoi le ciel est-il bleu", "comment fait-on le pain"]  # fmt: skip
BITEXT = pa.table({"id": [f"q{i}" for i in range(6)], "source": LOW, "target": HIGH}).replace_schema_metadata(
    {"source": "ca", "target": "fr"}
)
MODEL = {"bi-encoder": "bge-m3", "multi-vector": "colbert-xm"}


def work(architecture: str, base: Path, folder: Path, bitext: pa.Table = BITEXT, **tuned: Any) -> Training:
    """A training on parallel texts alone."""
    folder.mkdir()
    system: Any = SYSTEMS.part(architecture)(
        architecture=architecture, checkpoint=str(base), query_length=32, document_length=32
    )
    usual = {"batch_size": 6, "steps": 1, "learning_rate": 1e-4}
    settings = tuning(**(usual | tuned))
    return Training(system, base, pa.table({"query": []}), settings, folder, nothing, given=Given({"bitext": bitext}))


def by(training: Training, name: str, **settings: Any) -> Training:
    objective = OBJECTIVES.part(name).model_validate({"objective": name, **settings})
    return Training(
        training.system, training.checkpoint, training.triples, training.tuning, training.work, nothing,
        objective=objective, given=training.given,
    )  # fmt: skip


def of_text(model: Any, text: str, code: str) -> np.ndarray:
    """The token vectors of a text itself, as a query of a variety has them (the shipped model marks nothing)."""
    multi_vector.speak(model, code)
    [vectors] = model.encode_query([text], convert_to_numpy=True, show_progress_bar=False)
    return np.asarray(vectors)[1:-1]


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), min_size=1, max_size=3), st.integers(0, 2**31))
@settings(max_examples=25)
def test_the_loss_is_the_cost_of_the_plan(sizes: list[tuple[int, int]], seed: int) -> None:
    """<P, C> with POT's plan, the mean over the batch; padding has no part in it."""
    rng = np.random.default_rng(seed)
    n, m = (max(size[axis] for size in sizes) for axis in (0, 1))
    vectors = [rng.normal(size=(len(sizes), count, 8)) for count in (n, m)]
    teacher, student = (v / np.linalg.norm(v, axis=2, keepdims=True) for v in vectors)
    masks = [np.array([[k < size[axis] for k in range(most)] for size in sizes]) for axis, most in ((0, n), (1, m))]
    expected = []
    for k, (rows, columns) in enumerate(sizes):
        cost = 1 - teacher[k, :rows] @ student[k, :columns].T
        a, b = np.full(rows, 1 / rows), np.full(columns, 1 / columns)
        plan = ot.bregman.sinkhorn_log(a, b, cost, 0.1, numItermax=20_000, stopThr=1e-10)
        expected.append((plan * cost).sum())
    objective = Optical(objective="optical", iterations=5000, tolerance=1e-6)
    tensors = [torch.tensor(x) for x in (teacher, student, *masks)]
    tensors[1].requires_grad_(True)
    loss = objective.loss(*tensors)
    assert float(loss.detach()) == pytest.approx(np.mean(expected), abs=2e-4)
    # The plan is a constant: the gradient of <P, 1 - H L'> in L is -P' H.
    loss.backward()
    plan = objective.aligned(1 - tensors[0] @ tensors[1].detach().transpose(1, 2), tensors[2], tensors[3])
    by_hand = -torch.einsum("bnm,bnd->bmd", plan.double(), tensors[0]) / len(sizes)
    assert tensors[1].grad.numpy() == pytest.approx(by_hand.numpy(), abs=1e-5)


@pytest.mark.parametrize("alignment", ["optimal-transport", "argmax", "uniform", "random", "identity"])
def test_every_alignment_shares_out_one_text(alignment: Any) -> None:
    """What it gives sums to 1, and falls on what counts; `argmax` and `identity` are what they are called."""
    torch.manual_seed(1)
    cost, of_teacher, of_student = torch.rand(2, 5, 4), torch.ones(2, 5).bool(), torch.ones(2, 4).bool()
    of_teacher[1, 3:], of_student[1, 2:] = False, False
    plan = Optical(objective="optical", alignment=alignment).aligned(cost, of_teacher, of_student)
    assert plan.sum(dim=(1, 2)).numpy() == pytest.approx([1, 1], abs=1e-5)
    assert not plan[1, 3:].any() and not plan[1, :, 2:].any()
    if alignment == "argmax":
        assert (plan[0].argmax(dim=0) == cost[0].argmin(dim=0)).all() and int((plan[0] > 0).sum()) == 4
    if alignment == "identity":
        assert plan[1].nonzero().tolist() == [[0, 0], [1, 1]]
    if alignment == "uniform":
        assert plan[0].numpy() == pytest.approx(np.full((5, 4), 1 / 20))
    if alignment == "random":
        marginals = plan[0].sum(dim=1).numpy()
        assert marginals == pytest.approx(np.full(5, 0.2), abs=1e-3) and float(plan[0].std()) > 1e-3


def test_equal_texts_and_equal_encoders_have_no_loss() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(3, 6, 8), dim=2)
    mask = torch.ones(3, 6).bool()
    for alignment in ("identity", "argmax", "means"):
        objective = Optical(objective="optical", alignment=alignment)  # type: ignore[arg-type]
        assert float(objective.loss(vectors, vectors, mask, mask)) == pytest.approx(0, abs=1e-6)
    tight = Optical(objective="optical", entropy=0.005, iterations=500)
    assert float(tight.loss(vectors, vectors, mask, mask)) == pytest.approx(0, abs=1e-3)
    assert float(Optical(objective="optical", alignment="uniform").loss(vectors, vectors, mask, mask)) > 0.3


def test_markers_special_tokens_and_expansion_do_not_count() -> None:
    model = multi_vector.load(MODELS / "colbert-xm", 24, 32)
    model.prompts["query"] = "[Q] "
    model[0].query_expansion = {"strategy": "fixed", "length": 24, "token": "<unk>"}
    features = model.preprocess(LOW, prompt="[Q] ", task="query")
    masks = counted(model.tokenizer, features, "[Q] ")
    for ids, mask, text in zip(features["input_ids"], masks, LOW, strict=True):
        assert len(ids) == 24
        assert model.tokenizer.convert_ids_to_tokens(ids[mask].tolist()) == model.tokenizer.tokenize(text)


def test_the_first_loss_of_optical_is_that_of_its_texts(tmp_path: Path) -> None:
    """Each wording through its own adapter: the teacher's of the high-resource one, the student's of the low one."""
    base = steady("colbert-xm", tmp_path / "base")
    training = by(work("multi-vector", base, tmp_path / "work", frozen=["embeddings"]), "optical")
    done = finetune(training, tmp_path / "out")
    model = multi_vector.load(base, 32, 32)
    expected = []
    for low, high in zip(LOW, HIGH, strict=True):
        cost = 1 - of_text(model, high, "fr") @ of_text(model, low, "ca").T
        a, b = (np.full(size, 1 / size) for size in cost.shape)
        expected.append((ot.bregman.sinkhorn_log(a, b, cost, 0.1, numItermax=5000, stopThr=1e-8) * cost).sum())
    assert done.curve["loss"].to_pylist() == pytest.approx([np.mean(expected)], rel=2e-3)
    assert training.given.counts == {"pairs": 6, "pairs_without_token": 0}
    assert done.examples == 6
    # What encodes passages, their own adapter apart from the body, is not asked of the trained model.
    assert training.objective and training.objective.keeps_passages
    changed = {k for k, v in weights(base).items() if not v.equal(weights(tmp_path / "out")[k])}  # type: ignore[attr-defined]
    adapters = {k.partition("adapter_modules.")[2][:5] for k in changed if "adapter_modules" in k}
    assert adapters == {"ca_ES"}
    # The plans that are kept are those of the trained model, and of the one before.
    kept = pq.read_table(training.work / ALIGNMENT).to_pandas()
    assert set(kept["id"]) == set(BITEXT["id"].to_pylist())
    sums = kept.groupby("id")[["weight", "weight_before"]].sum().to_numpy()
    assert sums == pytest.approx(np.ones_like(sums), abs=1e-3)
    first = kept[kept["id"] == "q3"]
    assert list(first.drop_duplicates("source_position")["source_token"]) == model.tokenizer.tokenize(LOW[3])
    assert list(first.drop_duplicates("target_position")["target_token"]) == model.tokenizer.tokenize(HIGH[3])
    trained = multi_vector.load(tmp_path / "out", 32, 32)
    for column, student in (("weight", trained), ("weight_before", model)):
        cost = 1 - of_text(model, HIGH[3], "fr") @ of_text(student, LOW[3], "ca").T
        a, b = (np.full(size, 1 / size) for size in cost.shape)
        theirs = ot.bregman.sinkhorn_log(a, b, cost, 0.1, numItermax=5000, stopThr=1e-8)
        assert pytest.approx(theirs, abs=1e-3) == first[column].to_numpy().reshape(theirs.T.shape).T


def test_held_out_passages_are_the_teachers(tmp_path: Path) -> None:
    """A student whose passages are spoiled ranks as well as before: it is asked for queries alone."""
    training = by(work("multi-vector", MODELS / "colbert-xm", tmp_path / "work"), "optical")
    assert training.objective
    model = encoders.opened(training)
    held_out = HeldOut(LOW, [HIGH] * 6, [[i == j for j in range(6)] for i in range(6)])
    scorer = training.objective.scorer(training, model)
    assert scorer
    with torch.no_grad():
        before = scorer(held_out.queries, held_out.passages)
        for name, parameter in model.named_parameters():
            if "adapter_modules.fr_XX" in name:
                parameter.normal_()
        assert scorer(held_out.queries, held_out.passages) == before
        other = encoders.scorer(training, model)
        assert np.abs(np.array(other(held_out.queries, held_out.passages)) - before).max() > 0.1


def test_optical_goes_on_where_it_stopped(tmp_path: Path) -> None:
    base = MODELS / "colbert-xm"
    tuned = {"steps": 4, "batch_size": 3, "checkpoint_steps": 2}
    whole = finetune(by(work("multi-vector", base, tmp_path / "w1", **tuned), "optical"), tmp_path / "whole")

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    training = by(work("multi-vector", base, tmp_path / "w2", **tuned), "optical")
    broken = Training(**{**vars(training), "progress": stop})
    with pytest.raises(KeyboardInterrupt):
        finetune(broken, tmp_path / "broken")
    assert (tmp_path / "w2" / "checkpoint-2").is_dir()
    again = finetune(training, tmp_path / "again")
    assert again.steps == whole.steps == 4
    ours, theirs = weights(tmp_path / "again"), weights(tmp_path / "whole")
    assert all(ours[k].allclose(theirs[k], atol=1e-6) for k in ours)  # type: ignore[attr-defined]


@pytest.mark.parametrize("passages", ["student", "teacher"])
def test_the_first_loss_of_distillation_is_two_squared_errors(passages: Any, tmp_path: Path) -> None:
    """At the start the student is the teacher: the second term, of the high-resource wording, is 0."""
    from sentence_transformers import SentenceTransformer

    base = steady("bge-m3", tmp_path / "base")
    training = by(work("bi-encoder", base, tmp_path / "work"), "mse", passages=passages)
    done = finetune(training, tmp_path / "out")
    model = SentenceTransformer(str(base), local_files_only=True)
    low, high = model.encode(LOW), model.encode(HIGH)
    assert done.curve["loss"].to_pylist() == pytest.approx([((low - high) ** 2).mean()], rel=1e-4)
    assert training.objective and training.objective.keeps_passages == (passages == "teacher")
    # Many steps bring the other wording near; the teacher does not move.
    more = by(work("bi-encoder", base, tmp_path / "more", steps=30, learning_rate=1e-3), "mse", passages=passages)
    assert finetune(more, tmp_path / "near").curve["loss"].to_pylist()[-1] < done.curve["loss"].to_pylist()[0] / 4
    moved = SentenceTransformer(str(tmp_path / "near"), local_files_only=True).encode(LOW + HIGH)
    assert ((moved - np.concatenate([high, high])) ** 2).mean() < ((low - high) ** 2).mean() / 4


@pytest.mark.parametrize("architecture", MODEL)
def test_the_first_loss_of_translation_ranking_is_that_of_its_batch(architecture: str, tmp_path: Path) -> None:
    base = steady(MODEL[architecture], tmp_path / "base")
    training = by(work(architecture, base, tmp_path / "work", temperature=0.5), "bitext-contrastive")
    done = finetune(training, tmp_path / "out")
    model = encoders.opened(training).eval()
    if architecture == "bi-encoder":
        scores = model.encode(LOW) @ model.encode(HIGH).T
    else:
        multi_vector.speak(model, "ca")
        low = model.encode_query(LOW, show_progress_bar=False, convert_to_numpy=False)
        multi_vector.speak(model, "fr")
        high = model.encode_query(HIGH, show_progress_bar=False, convert_to_numpy=False)
        scores = np.array([[float((q @ d.T).max(dim=1).values.sum()) for d in high] for q in low])
    expected = -np.diag(log_softmax(scores / 0.5, axis=1)).mean()
    assert done.curve["loss"].to_pylist() == pytest.approx([expected], rel=1e-4)


def judging(base: Path, folder: Path, wording: Any, architecture: str, **tuned: Any) -> Training:
    """A student of the shipped reranker: the next text's passage is the negative."""
    plain = work(architecture, base, folder, **tuned)
    other = [HIGH[i - 1] for i in range(6)]
    triples = pa.table({"query": LOW, "positive": HIGH, "negative": other, "query_variety": ["ca"] * 6,
                        "document_variety": ["fr"] * 6})  # fmt: skip
    reranker: Any = SYSTEMS.part("mt5")(architecture="mt5", checkpoint="x", query_length=32, document_length=64)
    given = Given({"wordings": BITEXT} if wording == "high" else {}, teachers={"reranker": (reranker, MODELS / "mt5")})
    objective = OBJECTIVES.part("kl").model_validate(
        {"objective": "kl", "reranker": "mt5", "wording": wording, "teacher_temperature": 2.0}
    )
    return Training(plain.system, base, triples, plain.tuning, plain.work, nothing, objective=objective, given=given)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["optical", "kl"])
def test_two_processes_share_what_an_objective_needs(name: str, tmp_path: Path) -> None:
    """Through torchrun: parallel texts and teachers reach them, and what is counted and kept comes back."""
    base = steady("colbert-xm", tmp_path / "base")
    tuned = {"steps": 2, "batch_size": 4}
    if name == "kl":
        training = judging(base, tmp_path / "work", "high", "multi-vector", **tuned)
    else:
        training = by(work("multi-vector", base, tmp_path / "work", **tuned), name)
    done = distributed.share(2, training, tmp_path / "out")
    assert (done.examples, done.steps) == (6, 2)
    assert done.weight_change > 1e-6
    assert (tmp_path / "out" / "model.safetensors").exists()
    expected = {"reranker_asked_as_is": 0} if name == "kl" else {"pairs": 6, "pairs_without_token": 0}
    assert training.given.counts == expected
    assert (training.work / ALIGNMENT).exists() == (name == "optical")


@pytest.mark.parametrize("architecture", MODEL)
@pytest.mark.parametrize("wording", ["high", "own"])
def test_the_first_loss_of_a_reranker_s_student_is_a_divergence(
    architecture: str, wording: Any, tmp_path: Path
) -> None:
    """The reranker is asked in the declared wording; the student always in the query's own."""
    import pandas as pd

    base = steady(MODEL[architecture], tmp_path / "base")
    training = judging(base, tmp_path / "work", wording, architecture, temperature=0.5)
    done = finetune(training, tmp_path / "out")
    asked = HIGH if wording == "high" else LOW
    other, (reranker, _) = training.triples["negative"].to_pylist(), training.given.teachers["reranker"]
    frame = pd.DataFrame({"qid": [str(i) for i in range(6)] * 2, "query": asked * 2, "text": HIGH + other,
                          "docno": ["p"] * 6 + ["n"] * 6})  # fmt: skip
    assert isinstance(reranker, Reranker)
    judged = reranker.scorer(MODELS / "mt5", Computing())(frame).set_index(["docno", "qid"])["score"]
    theirs = np.array([[judged["p", str(i)], judged["n", str(i)]] for i in range(6)])
    model = encoders.opened(training)
    scorer = encoders.scorer(training, model)
    with torch.no_grad():
        ours = np.array(scorer(LOW, [[p, n] for p, n in zip(HIGH, other, strict=True)]))
    target = softmax(theirs / 2, axis=1)
    expected = (target * (np.log(target) - log_softmax(ours / 0.5, axis=1))).sum(axis=1).mean()
    assert done.curve["loss"].to_pylist() == pytest.approx([expected], rel=1e-3)


def test_a_side_without_a_token_is_left_out_and_too_few_are_refused(tmp_path: Path) -> None:
    holed = BITEXT.set_column(2, "target", pa.array([*HIGH[:3], " ", "", HIGH[5]])).replace_schema_metadata(
        BITEXT.schema.metadata
    )
    told: list[str] = []
    training = by(work("bi-encoder", MODELS / "bge-m3", tmp_path / "w", bitext=holed), "mse")
    training.given.note = told.append
    finetune(training, tmp_path / "out")
    assert training.given.counts == {"pairs": 4, "pairs_without_token": 2}
    assert told == ["2 of 6 parallel texts are left out: a side has no token"]
    asked = by(work("bi-encoder", MODELS / "bge-m3", tmp_path / "w2", bitext=holed), "mse", pairs=5)
    with pytest.raises(LswError, match="There are 4 parallel texts, and 5 are asked for") as caught:
        finetune(asked, tmp_path / "out2")
    assert "2 of 6" in caught.value.detail


def test_fewer_pairs_are_held_by_more(tmp_path: Path) -> None:
    kept = []
    for count in (2, 4):
        training = by(work("bi-encoder", MODELS / "bge-m3", tmp_path / str(count)), "mse", pairs=count)
        assert training.objective
        kept.append(set(training.objective.parallel(training, encoders.opened(training).tokenizer)["id"].to_pylist()))
    assert len(kept[0]) == 2 and len(kept[1]) == 4 and kept[0] < kept[1]


def test_a_share_of_the_pairs_is_wrong_whatever_the_training_seed(tmp_path: Path) -> None:
    wrong = []
    for seed in (1, 2):
        at = work("bi-encoder", MODELS / "bge-m3", tmp_path / str(seed), seed=seed)
        at.given.seed = seed
        training = by(at, "mse", words=46, noise=0.5, seed=7)
        assert training.objective
        table = training.objective.parallel(training, encoders.opened(training).tokenizer).to_pylist()
        assert all(row["target"] in HIGH for row in table)
        wrong.append({row["id"] for row in table if row["target"] != HIGH[LOW.index(row["source"])]})
        counts = training.given.counts
        assert counts["pairs"] == len(table) and counts["words"] <= 46
        assert counts["noisy"] == len(wrong[-1]) == round(len(table) / 2) > 0
    assert wrong[0] == wrong[1]


def test_an_objective_that_wants_settings_says_where_they_are_written() -> None:
    system = SYSTEMS.part("bi-encoder").model_construct(architecture="bi-encoder")
    with pytest.raises(LswError, match="The objective 'kl' needs settings") as caught:
        objective_of(system, tuning(objective="kl"))
    assert 'objective = { objective = "kl", reranker = ... }' in caught.value.cure


@pytest.mark.parametrize(("name", "architecture"), [("optical", "multi-vector"), ("mse", "bi-encoder")])
def test_a_batch_in_parts_moves_the_weights_as_far(name: str, architecture: str, tmp_path: Path) -> None:
    """The mean over a batch is that over its parts: without momentum yet, the same first steps."""
    base, moved = steady(MODEL[architecture], tmp_path / "base"), []
    for parts in (1, 3):
        tuned = {"accumulation": parts, "clip": 1e-3, "epsilon": 1e-2, "steps": 2}
        training = by(work(architecture, base, tmp_path / f"work-{parts}", **tuned), name)
        curve = finetune(training, tmp_path / f"out-{parts}").curve["loss"].to_pylist()
        moved.append((weights(tmp_path / f"out-{parts}"), curve))
    assert moved[0][1] == pytest.approx(moved[1][1], rel=1e-3)
    assert all(moved[0][0][k].allclose(moved[1][0][k], atol=1e-7) for k in moved[0][0])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "codes"),
    [("optical", {"ca_ES", "af_ZA"}), ("bitext-contrastive", {"ca_ES", "af_ZA", "fr_XX", "nl_XX"})],
)
def test_with_adapters_alone_each_pair_moves_its_own(name: str, codes: set[str], tmp_path: Path) -> None:
    """So one model of two pairs is as good as two models: nothing that they share has moved."""
    dutch = pa.table({"id": ["q0"], "source": ["wanneer vertrek die trein"], "target": ["wanneer vertrekt de trein"]})
    dutch = dutch.replace_schema_metadata({"source": "af", "target": "nl"})
    about = {"passages": "teacher"} if name == "bitext-contrastive" else {}
    frozen: Any = {"frozen": ["embeddings", "body"], "learning_rate": 1e-3, "batch_size": 7, "steps": 2}
    training = by(
        work("multi-vector", MODELS / "colbert-xm", tmp_path / "work", **frozen), name, also=["af-nl"], **about
    )
    training.given.tables["bitext.af-nl"] = dutch
    finetune(training, tmp_path / "out")
    before, after = weights(MODELS / "colbert-xm"), weights(tmp_path / "out")
    moved = {key for key in before if not torch.equal(before[key], after[key])}  # type: ignore[arg-type]
    assert all("adapter_modules" in key for key in moved)
    assert {key.partition("adapter_modules.")[2].partition(".")[0] for key in moved} == codes
    assert training.given.counts["pairs"] == 7


def test_nothing_left_to_train_is_refused(tmp_path: Path) -> None:
    frozen: Any = {"frozen": ["embeddings", "body"]}
    training = by(work("bi-encoder", MODELS / "bge-m3", tmp_path / "work", **frozen), "mse")
    with pytest.raises(LswError, match="nothing is left to train") as refused:
        finetune(training, tmp_path / "out")
    assert "X-MOD" in refused.value.cure
