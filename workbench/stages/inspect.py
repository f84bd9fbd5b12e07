"""Two models beside each other, by parallel queries and passages."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import ClassVar

import pyarrow as pa
from pydantic import SerializeAsAny

from store import LswError
from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost
from workbench.costs.estimator import MODEL, STAGE, TYPICAL, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.inspection.layers import Layers
from workbench.inspection.side_by_side import OUTPUT, Parallel, SideBySide, of_weights, states
from workbench.stages._behind import passages_of, queries_of
from workbench.systems._encoding import Computing
from workbench.systems.base import Encoder, System
from workbench.talk import Summary
from workbench.text import convert

_TEXTS = ("model_a", "model_b", "aspect", "texts", "module", "variety", "against", "why_not")
_WHOLE, _REAL = ("layer", "n", "n_groups"), ("value", "ci_low", "ci_high", "confidence")
INSPECTION = pa.schema(
    [*((c, pa.string()) for c in _TEXTS), *((c, pa.int32()) for c in _WHOLE), *((c, pa.float64()) for c in _REAL)]
)
KINDS_OF_TEXT = ("queries", "passages")
_AS_IT_IS = Computing()


class Inspect(Kind):
    """Leaves `rows/inspection.parquet`.

    Reads `model_a` and `model_b`, `queries.CODE` and `passages.CODE` of each variety, and for the passages `qrels`,
    which they are taken from, and `topics`, queries in one variety. Texts are those that all varieties have.

    Args:
        name_a, name_b: of the models, for the rows.
        ranker_a, ranker_b: the systems that they are models of.
        most: texts at most, drawn by the seed.
        confidence: of the intervals.
        folds: of the probe.
        seed: of the draw, the bootstrap and the folds.
        script: one of `workbench.text.SCRIPTS`.
    """

    name_a: str
    name_b: str
    ranker_a: SerializeAsAny[System]
    ranker_b: SerializeAsAny[System]
    most: int = 2_000
    confidence: float = 0.95
    folds: int = 5
    seed: int = 42
    script: str = "as written"

    tables: ClassVar[tuple[str, ...]] = ("inspection",)

    def run(self, job: Job) -> Summary:
        """Look at both.

        Raises:
            LswError: no text is there in two varieties that both know; or a model is not what it says.
        """
        names = self.name_a, self.name_b
        models = (
            Layers(self.ranker_a, folder_in(job.inputs["model_a"]), self.name_a),
            Layers(self.ranker_b, folder_in(job.inputs["model_b"]), self.name_b),
        )
        summary: Summary = {}
        every = [self._queries(job, models, summary), self._passages(job, models, summary)]
        texts = [parallel for parallel in every if parallel]
        if not texts:
            raise LswError("No texts are parallel in varieties that both models know.", cure="See --collection.")
        codes = list(dict.fromkeys(code for parallel in texts for code in parallel.texts))
        rows = of_weights(names, models, codes)
        each = [len(parallel.topics) * len(parallel.texts) for parallel in texts]
        total, done = 4 * sum(each), 0  # as long again for what is made of the vectors

        def told(more: float) -> None:
            nonlocal done
            done = min(total, done + round(more))
            job.progress(done, total)

        for parallel, many in zip(texts, each, strict=True):
            first, second = (
                states(model, parallel, job.work / f"{parallel.kind}-{side}", told)
                for model, side in zip(models, "ab", strict=True)
            )
            layers = max(len(next(iter(one.values()))) for one in (first, second))
            told_layer = partial(_in_shares, told, 2 * many / layers)
            beside = SideBySide(names, (first, second), parallel, self.confidence, self.seed, self.folds, told_layer)
            rows += beside.rows()
            for (name, layer), count in beside.constant.items():
                summary["constant_dimensions"] = max(count, summary.get("constant_dimensions", 0))
                where = f"{OUTPUT if layer is None else f'layer {layer}'} of {name}, {parallel.kind}"
                job.note(f"{where}: {count} dimensions left out of CKA, the same for all texts of a variety")
        job.write("inspection", pa.Table.from_pylist([asdict(row) for row in rows], schema=INSPECTION))
        return summary | {"not_compared": sum(row.why_not is not None for row in rows)}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        seconds, tokens = STAGE + 2 * MODEL, 0
        for role, source in stage.inputs.items():
            kind, _, code = role.partition(".")
            if kind not in KINDS_OF_TEXT:
                continue
            extent = (queries_of if kind == "queries" else passages_of)(source, estimator)
            size = min(extent.texts or 0, self.most) * (extent.mean_bytes or TYPICAL)
            tokens += round(size / 2)
            for ranker in (self.ranker_a, self.ranker_b):
                assert isinstance(ranker, Encoder)
                texts = estimator.texts(code, extent)
                # As long again for intervals and probes.
                seconds += 2 * size * estimator.seconds_to_encode(ranker, code, texts, ranker.heeded(_AS_IT_IS))
        return Cost(tokens=tokens, seconds=seconds)

    def _queries(self, job: Job, models: tuple[Layers, ...], summary: Summary) -> Parallel | None:
        """Queries that are there in all varieties that both know."""
        codes = self._known(job, models, "queries", summary)
        tables = {code: job.queries(f"queries.{code}") for code in codes}
        texts = {
            code: dict(
                zip(table["qid"].to_pylist(), convert(table["query"].to_pylist(), code, self.script), strict=True)
            )
            for code, table in tables.items()
        }
        topic: dict[str, str] = {}
        for table in tables.values():
            topic |= dict(zip(table["qid"].to_pylist(), table["topic"].to_pylist(), strict=True))
        return self._parallel(job, "queries", texts, topic, summary)

    def _passages(self, job: Job, models: tuple[Layers, ...], summary: Summary) -> Parallel | None:
        """Passages judged for the queries, each of the topic of the first query that it was judged for."""
        codes = self._known(job, models, "passages", summary)
        if not codes:
            return None
        judged = job.read("qrels", "qrel")
        topic_of: dict[str, str] = {}
        if "topics" in job.inputs:
            table = job.queries("topics")
            topic_of = dict(zip(table["qid"].to_pylist(), table["topic"].to_pylist(), strict=True))
        topic: dict[str, str] = {}
        for qid, docno in zip(judged["qid"].to_pylist(), judged["docno"].to_pylist(), strict=True):
            topic.setdefault(docno, topic_of.get(qid, qid))
        texts = {}
        for code in codes:
            found = job.passages(f"passages.{code}").texts(topic)
            texts[code] = dict(zip(found, convert(list(found.values()), code, self.script), strict=True))
        return self._parallel(job, "passages", texts, topic, summary)

    def _known(self, job: Job, models: tuple[Layers, ...], kind: str, summary: Summary) -> list[str]:
        """The varieties whose texts are here and that both models know."""
        codes = [role.partition(".")[2] for role in job.inputs if role.startswith(f"{kind}.")]
        known = [code for code in codes if all(model.knows(code) for model in models)]
        if unknown := [code for code in codes if code not in known]:
            summary[f"{kind}_varieties_left_out"] = len(unknown)
            job.note(f"{', '.join(unknown)} {kind} left out: one of the models has no adapter for them")
        return known

    def _parallel(
        self, job: Job, kind: str, texts: dict[str, dict[str, str]], topic: dict[str, str], summary: Summary
    ) -> Parallel | None:
        """Those that all varieties have, `most` of them at most; None if no two do."""
        import numpy as np

        every = list(dict.fromkeys(name for by_name in texts.values() for name in by_name))
        shared = [name for name in every if all(name in by_name for by_name in texts.values())]
        if len(texts) < 2 or not shared:
            if every:
                why = "in one variety only" if len(texts) < 2 else "no two varieties have the same"
                job.note(f"{kind} left out: {why}")
            return None
        if len(shared) < len(every):
            summary[f"{kind}_left_out"] = len(every) - len(shared)
            job.note(f"{len(every) - len(shared):,} of {len(every):,} {kind} left out: a variety lacks them")
        if len(shared) > self.most:
            drawn = np.sort(np.random.default_rng(self.seed).permutation(len(shared))[: self.most])
            summary[f"{kind}_not_drawn"] = len(shared) - self.most
            shared = [shared[i] for i in drawn]
        summary |= {kind: len(shared), f"{kind}_varieties": len(texts)}
        topics = [topic[name] for name in shared]
        return Parallel(kind, topics, {code: [by[name] for name in shared] for code, by in texts.items()})


def _in_shares(told: Callable[[float], None], share: float, layers: int) -> None:
    """Tell of layers as so much work each."""
    told(layers * share)
