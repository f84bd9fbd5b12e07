"""Reranking the candidates of a run, some queries at a time; what was scored when a process stopped is kept."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from store import LswError
from workbench.systems._encoding import finite, same_scores
from workbench.systems._passages import Reading
from workbench.systems._shards import Appended
from workbench.talk import Progress

GROUP = 32
"""Queries whose candidates are scored before their scores are put on disk."""


def rerank(
    model: Any,
    candidates: pa.Table,
    queries: pa.Table,
    passages: Reading,
    depth: int,
    work: Path,
    progress: Progress,
) -> pa.Table:
    """Score the first `depth` candidates of each query anew; the others follow in their order (PyTerrier's `^`).

    Args:
        model: a PyTerrier transformer that scores pairs (`Reranker.scorer`).
        candidates: columns qid, docno, rank, score of the first stage.
        queries: columns qid, query; the text that is scored.
        passages: where their texts are.
        depth: candidates reranked a query.
        work: folder in which an interrupted attempt left the scores of whole groups of queries.
        progress: told how many pairs are scored.

    Returns:
        columns qid, docno, score.

    Raises:
        LswError: a candidate is no passage of the collection.
    """
    import numpy as np
    import pandas as pd
    import pyterrier as pt

    first_stage = candidates.to_pandas()
    text = dict(zip(queries["qid"].to_pylist(), queries["query"].to_pylist(), strict=True))
    top = first_stage[first_stage["rank"] < depth].reset_index(drop=True)
    groups = top.groupby(top["qid"].map({q: i // GROUP for i, q in enumerate(top["qid"].unique())}), sort=False)
    shards = Appended(work, ("scores.f8",))
    for _, group in groups:
        if int(group.index[0]) < shards.rows:
            continue  # scored before an interruption
        texts = passages.texts(group["docno"])
        if lacking := next((d for d in group["docno"] if d not in texts), None):
            raise LswError(
                f"Candidate '{lacking}' is no passage of the collection.",
                cure="Rerank a run over the same passages.",
                exit_code=1,
            )
        asked = pd.DataFrame(
            {"qid": group["qid"], "docno": group["docno"], "query": group["qid"].map(text),
             "text": group["docno"].map(texts)}
        )  # fmt: skip
        scores = model(asked).set_index(["qid", "docno"])["score"]
        keys = list(zip(group["qid"], group["docno"], strict=True))
        shards.add(len(group), scores_f8=scores.loc[keys].to_numpy(np.float64))
        progress(shards.rows, len(top))
    top["score"] = finite(np.fromfile(work / "scores.f8", np.float64))
    if same_scores(top["qid"].to_list(), top["score"].to_list()):
        raise LswError(
            "The reranker gives all passages of a query the same score.",
            cure="It is no reranker, or not the one its files say: name another checkpoint.",
            exit_code=1,
        )
    rescored = pt.Transformer.from_df(pt.model.add_ranks(top.drop(columns="rank")))
    results = (rescored ^ pt.Transformer.from_df(first_stage))(queries.select(["qid", "query"]).to_pandas())
    return pa.table(
        {
            "qid": results["qid"].astype(str).to_list(),
            "docno": results["docno"].astype(str).to_list(),
            "score": pa.array(results["score"].to_numpy(), pa.float64()),
        }
    )
