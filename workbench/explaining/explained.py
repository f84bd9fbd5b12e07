"""The scores that a run gives some passages for one query, taken apart by the run's own system.

What the system was is in the store: its settings, its index, its model. It is asked again, for this query alone.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from store import LswError, Store, nearest
from store.query import rows
from store.rows import RunRow
from workbench.explaining._kept import KEPT
from workbench.explaining._recorded import Recorded, recorded
from workbench.pipeline import SUM, K
from workbench.systems._explanation import Asked, Explanation, Portion
from workbench.systems.base import Workplace
from workbench.talk import advise
from workbench.text import convert

__all__ = ["Explanation", "Portion", "explained", "needs_model"]

CLOSE = 1e-3
"""By how much a score may differ from the recorded one, relatively, before that is said."""
Note = Callable[[str], Any]


def explained(
    store: Store, run: RunRow, query: str, passages: dict[str, str], note: Note = lambda words: None
) -> Explanation:
    """The scores of some passages for one query, taken apart. Blocks while a model is loaded: call it from a thread.

    Args:
        store: where the run is.
        run: its row.
        query: the text, as the run scored it (`store.browse.wordings`).
        passages: the text of each docno, as the collection has it; found by the run or not.
        note: told what takes long ("loading bge-m3").

    Returns:
        with `why_not` if this run's scores have no parts that could be told. Spans count in the texts as given.

    Raises:
        LswError: the index or the model is gone, with what brings it back; the system is not known here.
    """
    of = recorded(store, run)
    if of.kind not in KINDS:
        return Explanation.refused(f"lsw does not know how a stage of the kind '{of.kind}' scores.")
    return KINDS[of.kind](of, query, passages, note)


def needs_model(store: Store, run: RunRow) -> bool:
    """Whether a model is still to be loaded before `explained` can answer, which takes some seconds.

    Raises:
        LswError: the store has no record of the run, or its system is not known here.
    """
    of = recorded(store, run)
    return KINDS.get(of.kind) is _asked_again and "model" in of.inputs and _key(of) not in KEPT


def _key(of: Recorded) -> str:
    """The same for all runs that one loaded model can answer for."""
    system = of.system(None)
    return repr((of.inputs["model"], system.recorded(), of.computing.recorded()))


def _asked_again(of: Recorded, query: str, passages: dict[str, str], note: Note) -> Explanation:
    """The system itself, with the index and the model that the run used."""
    checkpoint, index = of.checkpoint(), of.index()
    system, spoken, own = of.system(checkpoint), of.spoken, str(of.parameters["document_variety"])
    [asked] = convert([query], spoken, of.script)
    texts = dict(zip(passages, convert(list(passages.values()), own, of.script), strict=True))

    def kept(make: Callable[[], Any]) -> Any:
        if checkpoint is None:
            return make()
        if (key := _key(of)) not in KEPT:
            advise()
            trained = f" ({of.run['trained_on']})" if of.run["trained_on"] else ""
            note(f"loading {of.run['system'].rpartition('>> ')[2]}{trained}")
        return KEPT.get(key, _weights(checkpoint), make)

    work = of.store.artifacts.folder  # nothing is written there
    at = Workplace(checkpoint, own, of.computing, work, lambda done, total: None)
    with KEPT.lock if checkpoint else nullcontext():  # one thread at a time asks a model
        said = system.explain(Asked(asked, spoken, texts, index, kept), at)
    return _beside_recorded(said, of, query, passages)


def _weights(checkpoint: Path) -> int:
    """Bytes of a model's weights."""
    return sum(path.stat().st_size for path in checkpoint.glob("*.safetensors"))


def _beside_recorded(said: Explanation, of: Recorded, query: str, passages: dict[str, str]) -> Explanation:
    """With the recorded scores; where they are others, that is said."""
    ranked = _rankings(of, [of.run["run_id"]], query, passages).get(of.run["run_id"], {})
    depth = of.parameters.get("rerank_depth")  # of a reranker: the others follow, with scores of their order alone
    scored = {docno: score for docno, (rank, score) in ranked.items() if depth is None or rank < depth}
    known = [d for d in scored if d in said.scores]
    far = max((abs(said.scores[d] - scored[d]) for d in known), default=0.0)
    told = said.says
    if depth is not None and len(scored) < len(said.scores):
        told += f" The run itself read the first {depth} candidates only; other passages were scored now."
    if any(abs(said.scores[d] - scored[d]) > CLOSE * max(1.0, abs(scored[d])) for d in known):
        told += (
            f" These scores are not those of the run: they differ by up to {far:.3g}. It was made on other hardware,"
            " or the model's files or the passages have changed."
        )
    return replace(said, says=told, recorded=scored, differs=far)


def _rankings(of: Recorded, run_ids: list[str], query: str, docnos: Any) -> dict[str, dict[str, tuple[int, float]]]:
    """Rank (from 0) and score of each docno that each of these runs found for the run's query of this text."""
    with of.store.reading() as con:
        found = rows(
            con,
            """
            SELECT run_id, docno, rank, score FROM rankings
            WHERE run_id IN (SELECT unnest($1::TEXT[])) AND docno IN (SELECT unnest($2::TEXT[]))
              AND qid = coalesce(
                (SELECT min(qid) FROM scored_queries WHERE run_id = $3 AND query = $4),
                (SELECT min(q.qid) FROM runs r JOIN queries q
                    ON q.collection = r.collection AND q.variety = r.query_variety
                 WHERE r.run_id = $3 AND q.query = $4))
            """,
            [run_ids, list(docnos), of.run["run_id"], query],
        )
    out: dict[str, dict[str, tuple[int, float]]] = {}
    for row in found:
        out.setdefault(row["run_id"], {})[row["docno"]] = (row["rank"], row["score"])
    return out


FUSED: dict[str, tuple[str, Callable[[float, int, float], float], str]] = {
    "rrf": (
        "reciprocal ranks", lambda weight, rank, score: 1 / (K + rank + 1),
        f"Each run that found the passage adds 1 / ({K} + its rank there); its score there counts nothing.",
    ),
    SUM: (
        "weighted scores", lambda weight, rank, score: weight * score,
        "Each run that found the passage adds its score there times the run's weight; another run adds 0.",
    ),
}  # fmt: skip
"""Of each way to fuse (`stages.fuse`): what its parts are, what a run adds, and that in words."""


def _fused(of: Recorded, query: str, passages: dict[str, str], note: Note) -> Explanation:
    """What each fused run adds, from the recorded rankings; the run itself can be taken apart in its turn."""
    method = of.parameters["method"]
    if method not in FUSED:
        raise LswError(f"Unknown fusion '{method}'.", cure=nearest(method, FUSED))
    kind, adds, says = FUSED[method]
    run_ids = of.runs
    with of.store.reading() as con:
        known = rows(con, "SELECT run_id, system FROM runs WHERE run_id IN (SELECT unnest(?::TEXT[]))", [run_ids])
    systems = {row["run_id"]: row["system"] for row in known}
    if gone := [run_id for run_id in run_ids if run_id not in systems]:
        raise LswError(f"The run {gone[0]}, of which this one was made, is not in the store.", cure="Run it again.")
    found = _rankings(of, run_ids, query, passages)
    portions: dict[str, list[Portion]] = {docno: [] for docno in passages}
    for docno, parts in portions.items():
        for run_id, weight in zip(run_ids, of.parameters["weights"], strict=True):
            rank, score = found.get(run_id, {}).get(docno, (None, None))
            value = 0.0 if rank is None or score is None else adds(weight, rank, score)
            facts = {"run_id": run_id, "rank": rank, "score": score, "weight": weight}
            parts.append(Portion(systems[run_id], value, facts=facts))
    scores = {docno: sum(part.value for part in parts) for docno, parts in portions.items()}
    return _beside_recorded(Explanation(kind, says, scores, portions), of, query, passages)


def _not_here(why_not: str) -> Callable[[Recorded, str, dict[str, str], Note], Explanation]:
    """Of a kind whose scores cannot be told again: why, and the recorded ones."""

    def refused(of: Recorded, query: str, passages: dict[str, str], note: Note) -> Explanation:
        ranked = _rankings(of, [of.run["run_id"]], query, passages).get(of.run["run_id"], {})
        said = Explanation.refused(why_not)
        return replace(said, recorded={docno: score for docno, (_, score) in ranked.items()})

    return refused


KINDS: dict[str, Callable[[Recorded, str, dict[str, str], Note], Explanation]] = {
    "retrieve": _asked_again,
    "rerank": _asked_again,
    "fuse": _fused,
    "collapse": _not_here("This run ranks pages, each scored by its windows, whose texts are not shown here."),
    "imported": _not_here("This run was imported: the system that made it is not here."),
}
"""How the scores of the run of each kind of stage are taken apart."""
