"""Words of one variety with their translations in another."""

from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import SerializeAsAny

from store import LswError
from workbench.collections.files import located, to_download, told
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.lexicons._lookup import Lookup, coverage
from workbench.lexicons.base import Lexicon, Material
from workbench.registry import LOCAL
from workbench.stages._behind import queries_of
from workbench.talk import Summary

ENTRIES = pa.schema([("source", pa.string()), ("target", pa.string()), ("score", pa.float64())])
SIDES = ("source", "target")


class MakeLexicon(Kind):
    """Leaves `rows/lexicon.parquet`: source, target (strings), score (float64), whose metadata name the varieties.

    Reads what its lexicon is made of: `bitext`; or the passages of both varieties, `source` and `target`, and the
    judgements of training queries, `qrels`.

    Args:
        lexicon: where the words come from.
        source_variety, target_variety: of them.
        contents: what tells the content of its files (`workbench.collections.files.content`).
        at: where they are.
    """

    lexicon: SerializeAsAny[Lexicon]
    source_variety: str
    target_variety: str
    contents: dict[str, dict[str, str]] = {}
    at: Annotated[dict[str, str], LOCAL] = {}

    files: ClassVar[tuple[str, ...]] = ("lexicon",)
    group: ClassVar[str] = "train"

    def recorded(self, whole: bool = True) -> dict[str, Any]:
        """The content of its files stands for them."""
        return super().recorded(whole) | ({"contents": told(self.contents, whole)} if self.contents else {})

    def run(self, job: Job) -> Summary:
        """Make it.

        Raises:
            LswError: what it is made of cannot be read; it has no entry.
        """
        bitext, counts = self._bitext(job)
        material = Material(
            self.source_variety, self.target_variety, {what: located(at) for what, at in self.at.items()},
            bitext, _passages(job), job.progress, job.note,
        )  # fmt: skip
        entries, summary = self.lexicon.entries(material)
        summary = {**summary, **counts}
        if not entries:
            raise LswError(
                f"The lexicon of {self.source_variety} words in {self.target_variety} is empty.",
                ", ".join(f"{name.replace('_', ' ')}: {value:,}" for name, value in summary.items()),
                "Give it more to learn from, or name another lexicon.",
                exit_code=1,
            )
        columns = [list(column) for column in zip(*entries, strict=True)]
        codes = {"source": self.source_variety, "target": self.target_variety}
        job.write("lexicon", pa.table(columns, schema=ENTRIES.with_metadata(codes)))
        texts = [text for text, _ in material.bitext] or list(material.passages[0].values())
        covered = {"coverage": round(coverage(Lookup(entries), texts), 4)} if texts else {}
        words, targets = (len({entry[side] for entry in entries}) for side in (0, 1))
        return {"entries": len(entries), "sources": words, "targets": targets, **covered, **summary}

    def _bitext(self, job: Job) -> tuple[list[tuple[str, str]], Summary]:
        """Pairs of texts, of a lexicon that is made of some, and the counts of the part of them that it reads."""
        if "bitext" not in job.inputs:
            return [], {}
        table, counts = self.lexicon.part_of(job.read("bitext", "bitext"))
        return list(zip(*(table[side].to_pylist() for side in SIDES), strict=True)), counts

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        behind = stage.inputs.get("bitext")
        known = behind is not None and "source" in behind.inputs
        texts = queries_of(behind, estimator).texts or 0 if behind and known else 0
        missing = [at for at in self.at.values() if to_download(at)]
        download = sum(estimator.bytes_to_download(at, self.lexicon.size) for at in missing)
        return Cost(download=download, seconds=STAGE + self.lexicon.seconds(texts))


def _passages(job: Job) -> tuple[dict[str, str], dict[str, str]]:
    """Those judged for training queries, in both varieties by docno."""
    if "qrels" not in job.inputs:
        return {}, {}
    judged = dict.fromkeys(job.read("qrels", "qrel")["docno"].to_pylist())
    source, target = (job.passages(side).texts(judged) for side in SIDES)
    return source, target
