"""The passages of one variety."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import ClassVar

import pyarrow as pa

from store.passages import FILE, Passages, write
from workbench.collections.mixed import DRAWN
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, TYPICAL, Estimator
from workbench.graph import Job, Stage
from workbench.stages._sources import Reads
from workbench.talk import Summary
from workbench.varieties import MIXED


class ReadPassages(Reads):
    """Leaves `passages.arrow` (`store.passages`): docno, text; of several varieties also which ones, `mixed.json`."""

    variety: str

    version: ClassVar[int] = 2

    def run(self, job: Job) -> Summary:
        """Read, and refuse a docno that occurs twice."""
        path = job.out / FILE

        def read() -> Iterator[pa.RecordBatch]:
            done = 0
            batches = self.read_from.passages(self.variety)
            with self.downloads(job, "passages", self.variety):
                first = next(batches, None)
            for batch in chain([first] if first else [], batches):
                done += len(batch)
                job.progress(done, 0)
                yield batch

        count = write(path, read())
        if again := Passages(path).twice():
            raise self.read_from.repeated(self.variety, again)
        if self.variety == MIXED:
            drawn = {"varieties": sorted(self.origin["mixed"]), "seed": self.origin["seed"]}
            (job.out / DRAWN).write_text(json.dumps(drawn), "utf-8")
        return {"passages": count}

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
