"""Parallel texts of two varieties: a collection's training queries, or a file."""

from typing import Annotated, Any, ClassVar

import pyarrow as pa

from store import LswError
from workbench.collections.bitexts import Dropped, read_bitext
from workbench.collections.files import located, told
from workbench.collections.formats import fault
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.talk import Summary
from workbench.text import plain

BITEXT = pa.schema([(name, pa.string()) for name in ("id", "source", "target")])
TESTED = "tested."
"""How the roles begin of queries that no text may be."""


class Bitext(Kind):
    """Leaves `rows/bitext.parquet`: id, source, target (strings), whose metadata name the varieties.

    Reads `source` and `target` (queries of one split); or, of a file, the queries that no text of it may be
    (`tested.low.test` and so on).

    Args:
        source_variety, target_variety: of the texts.
        split: of the queries; `train` always.
        contents: what tells the content of the files of source and target (`workbench.collections.files.content`).
        columns: of the source and the target in a single file, from 0.
        at: where the files are.
    """

    source_variety: str
    target_variety: str
    split: str = "train"
    contents: dict[str, dict[str, str]] = {}
    columns: tuple[int, int] = (0, 1)
    at: Annotated[tuple[str, ...], LOCAL] = ()

    files: ClassVar[tuple[str, ...]] = ("bitext",)
    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Pair queries by qid, or read the file.

        Raises:
            LswError: there are none, or they are of another split; the file has an empty side or is no bitext; one
                of its texts is a query that is tested.
        """
        pairs, summary = self._read(job) if self.at else self._queries(job)
        columns = [list(column) for column in zip(*pairs, strict=True)]
        codes = {"source": self.source_variety, "target": self.target_variety}
        job.write("bitext", pa.table(columns, schema=BITEXT.with_metadata(codes)))
        return {"pairs": len(pairs), **summary}

    def _queries(self, job: Job) -> tuple[list[tuple[str, str, str]], Summary]:
        source, target = job.queries("source"), job.queries("target")
        for table in (source, target):
            splits = set(table["split"].to_pylist())
            if splits - {self.split}:
                raise LswError(f"Queries of {', '.join(sorted(splits))} were given to train on.", exit_code=1)
        other = dict(zip(target["qid"].to_pylist(), target["query"].to_pylist(), strict=True))
        asked = zip(source["qid"].to_pylist(), source["query"].to_pylist(), strict=True)
        pairs = [(qid, text, other[qid]) for qid, text in asked if qid in other]
        if not pairs:
            raise LswError(
                f"No training query is there in both {self.source_variety} and {self.target_variety}.",
                cure="Is the collection parallel in these two? Name a translator in [translation], or another pair.",
            )
        return pairs, {"left_out": len(source) + len(target) - 2 * len(pairs)}

    def _read(self, job: Job) -> tuple[list[tuple[str, str, str]], Summary]:
        paths, dropped = [located(at) for at in self.at], Dropped()
        tested: dict[str, str] = {}
        for role in job.inputs:
            if role.startswith(TESTED):
                table = job.queries(role)
                rows = zip(*(table[column].to_pylist() for column in ("query", "split", "qid")), strict=True)
                tested |= {plain(query): f"{split} query '{qid}'" for query, split, qid in rows}
        pairs = []
        for number, source, target in read_bitext(paths, self.columns, dropped):
            for path, text in zip((paths[0], paths[-1]), (source, target), strict=True):
                if known := tested.get(plain(text)):
                    problem = f"This text is the {known}, which is not to be trained on."
                    raise fault(path, number, problem, "Remove it, and its translation, from the bitext.")
            pairs.append((f"line {number}", source, target))
        if not pairs:
            raise LswError("The bitext has no pair of texts.", ", ".join(map(str, paths)))
        if dropped.uneven:
            job.note(
                f"{len(dropped.uneven):,} lines left out of the bitext: one side is over ten times as long as the "
                f"other (the first is line {dropped.uneven[0]})"
            )
        return pairs, {"uneven": len(dropped.uneven), "tested_queries": len(tested)}

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        """Of training queries there are no files to tell."""
        values = super().recorded(whole)
        if not self.at:
            return {name: value for name, value in values.items() if name not in ("contents", "columns")}
        return values | {"contents": told(self.contents, whole)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE)
