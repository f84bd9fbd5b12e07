"""Scores that a cross-encoder gave to MS MARCO's training queries and passages."""

import gzip
import pickle
from typing import Annotated, Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from store import LswError
from workbench.collections.files import located, to_download
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.talk import Summary

SCORES = pa.schema([("qid", pa.int64()), ("docno", pa.int64()), ("score", pa.float32())])


class PlainNumbers(pickle.Unpickler):
    """Reads dictionaries of numbers and refuses everything else: no class is looked up, so nothing can be called."""

    def find_class(self, module: str, name: str) -> Any:
        raise LswError(
            f"The file of scores names {module}.{name}; only plain numbers are read.",
            cure="Download it again from where it was published, or give Parquet with qid, docno, score.",
        )


class ReadScores(Kind):
    """Leaves `rows/scores.parquet`: qid, docno (int64, as MS MARCO numbers them), score (float32), by qid.

    The published file is a pickled dictionary, read by `PlainNumbers`, once: 160 million scores, some 30 GB of memory.

    Args:
        origin, sha256: what tells the file's content.
        at: where it is.
    """

    origin: str
    sha256: str = ""
    at: Annotated[str, LOCAL]

    files: ClassVar[tuple[str, ...]] = ("scores",)
    group: ClassVar[str] = "download"

    def run(self, job: Job) -> Summary:
        """Read.

        Raises:
            LswError: it is no such file, or names a class.
        """
        path, target = located(self.at), job.target("scores")
        if path.suffix == ".parquet":
            table = pq.read_table(path, columns=["qid", "docno", "score"]).cast(SCORES)
            pq.write_table(table.sort_by([("qid", "ascending")]), target)
            return {"scores": len(table)}
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            try:
                by_query = PlainNumbers(file).load()
            except (pickle.UnpicklingError, EOFError, ValueError) as error:
                raise LswError("This is not a file of scores.", f"{path}: {error}") from None
        count, qids = 0, sorted(by_query)
        with pq.ParquetWriter(target, SCORES) as writer:
            for start in range(0, len(qids), 2_000):
                some = [
                    (int(q), int(d), float(s)) for q in qids[start : start + 2_000] for d, s in by_query.pop(q).items()
                ]
                columns = [pa.array(c, t) for c, t in zip(zip(*some, strict=True), SCORES.types, strict=True)]
                writer.write_table(pa.table(columns, schema=SCORES))
                count += len(some)
                job.progress(start, len(qids))
        return {"scores": count}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        if not to_download(self.at):
            return Cost(seconds=STAGE)
        return Cost(download=1_140_000_000, disk=1_300_000_000, seconds=900.0)
