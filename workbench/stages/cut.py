"""The windows of pages, as passages of their own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import SerializeAsAny

from store import LswError
from store.passages import FILE, Passages, write
from workbench.collections.base import Extent
from workbench.collections.cuts.base import Cut
from workbench.collections.formats import batched
from workbench.collections.pages import PARENT
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, TYPICAL, Estimator
from workbench.evaluation.collapses.base import Collapse
from workbench.graph import Job, Kind, Stage
from workbench.stages.passages import ReadPassages
from workbench.talk import Summary

SIGN = "#"
"""Stands in a window's docno between that of its page and its place there: PAGE#0, PAGE#1, ..."""
PAGES = 4_096
"""Pages cut at once."""
CUTTING, NAMING = 5e-8, 3e-6
"""Seconds to cut a byte of a page, and to write down a window."""


class CutPages(Kind):
    """Leaves `passages.arrow` (the windows) and `rows/parent.parquet` (of which page each is). Reads `passages`.

    Args:
        document_variety: of the pages.
        cut: into which windows.
        picks: of a way to score pages that uses some of their windows only: which ones.
    """

    document_variety: str
    cut: SerializeAsAny[Cut]
    picks: SerializeAsAny[Collapse] | None = None

    tables: ClassVar[tuple[str, ...]] = ("parent",)
    group: ClassVar[str] = "encode"

    def run(self, job: Job) -> Summary:
        """Cut.

        Raises:
            LswError: a page without a window, or called as a window of another is.
        """
        pages, counts = job.passages("passages"), {"windows": 0, "left_out": 0, "pages_cut_short": 0}
        path = job.out / FILE
        with pq.ParquetWriter(job.target("parent"), PARENT) as parents:
            write(path, self._windows(job, pages, parents, counts))
        named = pc.filter(pages.docnos, pc.match_substring(pages.docnos, SIGN))
        both = pc.filter(named, pc.is_in(named, value_set=pa.array(Passages(path).docnos.to_pylist(), pa.string())))
        if len(both):
            raise LswError(
                f"Page '{both[0].as_py()}' is called as a window of another page is.",
                f"Windows of a page are called as it is, {SIGN} and their number.",
                "Rename it in the collection.",
            )
        if counts["left_out"]:
            job.note(
                f"{counts['pages_cut_short']:,} pages have more windows than are shown: {counts['left_out']:,} left out"
            )
        return {"pages": len(pages), **counts}

    def _windows(
        self, job: Job, pages: Passages, parents: pq.ParquetWriter, counts: dict[str, int]
    ) -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in pages.batches(0, PAGES):
            rows: dict[str, list[Any]] = {name: [] for name in PARENT.names}
            texts = []
            for page, text in zip(batch["docno"].to_pylist(), batch["text"].to_pylist(), strict=True):
                spans, left_out = self.cut.spans(text, self.document_variety)
                if not spans:
                    raise LswError(
                        f"Page '{page}' has no window: there is no word in it.", cure="Take it out of the collection."
                    )
                counts["left_out"] += left_out
                counts["pages_cut_short"] += left_out > 0
                for position in self._picked(page, len(spans)):
                    begins, ends = spans[position]
                    row = f"{page}{SIGN}{position}", page, position, begins, ends
                    for name, value in zip(PARENT.names, row, strict=True):
                        rows[name].append(value)
                    texts.append(text[begins:ends])
            parents.write_table(pa.table(rows, schema=PARENT))
            counts["windows"] += len(texts)
            yield from batched(zip(rows["docno"], texts, strict=True))
            done += len(batch)
            job.progress(done, len(pages))

    def _picked(self, page: str, windows: int) -> Sequence[int]:
        """The places of the windows of a page that are indexed."""
        return self.picks.picked(page, windows) if self.picks else range(windows)

    def extent(self, stage: Stage, estimator: Estimator) -> Extent:
        """How large the windows are; of pages that are not here, as of a text of their length.

        Raises:
            NotEstimatedError: nobody says how large the pages are.
        """
        pages = _pages(stage, estimator)
        some = pages.samples or ("word " * round((pages.mean_bytes or TYPICAL) / len("word ")),)
        shown = []
        for text in some:
            spans, _ = self.cut.spans(text, self.document_variety)
            shown += [text[slice(*spans[at])] for at in self._picked("", len(spans))]
        windows = Extent.of(shown, round((pages.texts or 0) * len(shown) / len(some)))
        return windows if pages.samples else replace(windows, samples=())

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        pages, windows = _pages(stage, estimator), self.extent(stage, estimator)
        size = (pages.texts or 0) * (pages.mean_bytes or TYPICAL)
        count = windows.texts or 0
        return Cost(seconds=STAGE + size * CUTTING + count * NAMING, disk=round(count * windows.mean_bytes))


def _pages(stage: Stage, estimator: Estimator) -> Extent:
    read = stage.inputs["passages"].work
    assert isinstance(read, ReadPassages)
    return estimator.passages(read.read_from, read.variety)
