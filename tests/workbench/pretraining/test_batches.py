"""No passage is called wrong for a query because it is a translation of the right one."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from workbench.collections.folder import MINI
from workbench.systems.bi_encoder import BiEncoder
from workbench.systems.multi_vector import MultiVector
from workbench.training.finetune import objective_of
from workbench.training.objectives.base import Training
from workbench.training.tuning import Tuning

ROWS = [
    {"query": f"q {i}", "positive": f"{v} {i % 9}", "negative": f"{v} {(i + 1) % 9}", "query_variety": v,
     "document_variety": v, "docno_positive": f"d{i % 9}", "docno_negative": f"d{(i + 1) % 9}"}
    for i in range(30) for v in ("fr", "it")
]  # fmt: skip
LENGTHS = {"query_length": 8, "document_length": 8}


@pytest.mark.parametrize(
    ("system", "name"),
    [(BiEncoder(architecture="bi-encoder", checkpoint="", **LENGTHS), "bge-m3"),
     (MultiVector(architecture="multi-vector", checkpoint="", **LENGTHS), "colbert-xm")],
)  # fmt: skip
def test_a_batch_of_crops_holds_no_docno_twice(system: Any, name: str, tmp_path: Path) -> None:
    """In any variety. Triples that say no docnos go by their texts, as ever: there translations do meet."""
    tuning = Tuning(epochs=1.0, learning_rate=1e-3, batch_size=4)

    def batches(triples: pa.Table) -> list[list[dict[str, str]]]:
        training = Training(system, MINI.parent / "models" / name, triples, tuning, tmp_path, lambda done, all: None)
        trainer = objective_of(system, tuning).prepare(training)[0]
        return [[ROWS[i] for i in batch] for batch in trainer.get_train_dataloader().batch_sampler]

    def docnos(batch: list[dict[str, str]]) -> list[str]:
        return [row[column] for row in batch for column in ("docno_positive", "docno_negative")]

    table = pa.Table.from_pylist(ROWS)
    apart = batches(table)
    assert sorted(row["query"] for batch in apart for row in batch) == sorted(row["query"] for row in ROWS)
    assert max(map(len, apart)) == 4
    assert all(len(set(docnos(batch))) == len(docnos(batch)) for batch in apart)
    by_text = batches(table.drop_columns(["docno_positive", "docno_negative"]))
    assert any(len(set(docnos(batch))) < len(docnos(batch)) for batch in by_text)
