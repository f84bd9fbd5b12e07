"""The passages of one variety."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import ClassVar

import pyarrow as pa

from store.passages import FILE, Passages, write
from workbench.collections.mixed import DRAWN, Mixed
from workbench.collections.pages import Pages
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, TYPICAL, Estimator
from workbench.graph import Job, Stage
from workbench.stages._sources import Reads
from workbench.talk import Summary
from workbench.varieties import MIXED


class ReadPassages(Reads):
    """Leaves `passages.arrow` (`store.passages`): docno, text; of several varieties also which ones, `mixed.json`; of
    pages also which passages stand on them, `rows/parent.parquet`."""

    variety: str

    version: ClassVar[int] = 2
    tables: ClassVar[tuple[str, ...]] = ("parent",)

    def run(self, job: Job) -> Summary:
        """Read, and refuse a docno that occurs twice."""
        path, source = job.out / FILE, self.read_from

        def read() -> Iterator[pa.RecordBatch]:
            done = 0
            batches = source.passages(self.variety)
            with self.downloads(job, "passages", self.variety):
                first = next(batches, None)
            for batch in chain([first] if first else [], batches):
                done += len(batch)
                job.progress(done, 0)
                yield batch

        count = write(path, read())
        if again := Passages(path).twice():
            raise source.repeated(self.variety, again)
        if self.variety == MIXED:
            drawn = {"varieties": sorted(self.origin["mixed"]), "seed": self.origin["seed"]}
            (job.out / DRAWN).write_text(json.dumps(drawn), "utf-8")
        summary: Summary = {"passages": count}
        if self.variety == MIXED and isinstance(source, Mixed):
            summary["left_out"] = source.lost[-1]
            if source.lost[-1]:
                job.note(f"{source.lost[-1]:,} docnos left out: the variety drawn for them lacks them")
        if isinstance(source, Pages):
            parts, short = source.parts(self.variety), source.short(self.variety)
            job.write("parent", parts)
            summary |= {"joined": len(parts), "short": short}
            if short:
                job.note(f"{short:,} pages have fewer than {source.of[0]} passages: their areas have no more")
        return summary

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        extent = estimator.passages(self.read_from, self.variety)
        count = extent.texts or 0
        size = count * (extent.mean_bytes or TYPICAL)
        passes = 2 if "sample" in self.origin else 1  # a sample is read twice
        return Cost(
            download=estimator.bytes_to_download(str(self.origin.get("from", stage.key)), extent.download),
            seconds=STAGE + passes * count * 4e-6 + size / 4e8,
            disk=round(size),
        )
