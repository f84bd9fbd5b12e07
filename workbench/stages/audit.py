"""The audit of one set of translations: each text, the set, and what bad ones cost in retrieval."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from workbench.audit import quality
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import Section
from workbench.stages._behind import queries_of
from workbench.talk import Summary

_TEXTS = ("key", "translation_id", "translator", "source_variety", "target_variety", "qid", "language", "signs")
_SCORES = ("chrf", "bleu", "ter", "round_trip_chrf", "confidence")
AUDIT = pa.schema([*((c, pa.string()) for c in _TEXTS), *((c, pa.float64()) for c in _SCORES)])
_WHICH = ("key", "translator", "source_variety", "target_variety", "quality", "system", "measure")
COST = pa.schema(
    [*((c, pa.string()) for c in _WHICH), ("rho", pa.float64()), ("ci_low", pa.float64()), ("ci_high", pa.float64()),
     ("confidence", pa.float64()), ("n", pa.int32()), ("n_groups", pa.int32()), ("seed", pa.int64())]
)  # fmt: skip


class BothRuns(Section):
    """The runs of a base system with translations (`low`) and with their sources (`high`), by their ids."""

    system: str
    low: str
    high: str


class Audit(Kind):
    """Leaves `rows/audit.parquet` (a row for each translation) and `rows/translation_cost.parquet` (for each system).

    Reads `translation`, its `source`, `measure.ID` of each run and, where there are any, `reference` and `back`.
    """

    runs: list[BothRuns]
    measure: str
    confidence: float
    seed: int

    version: ClassVar[int] = 2
    tables: ClassVar[tuple[str, ...]] = ("audit", "translation_cost")

    def run(self, job: Job) -> Summary:
        """Hold each text against what it should be, and the set against what it cost."""
        table = job.read("translation", "translation")
        qids, sources, texts = (table[c].to_pylist() for c in ("qid", "source_text", "text"))
        about = {c: table[c][0].as_py() for c in ("translator", "source_variety", "target_variety")}
        source, target = about["source_variety"], about["target_variety"]
        n = len(qids)
        columns: dict[str, list[Any]] = {name: [None] * n for name in _SCORES}
        summary: Summary = {"translations": n}
        references = _references(job)
        at = [i for i, qid in enumerate(qids) if qid in references]
        job.progress(0, 4)
        if at:
            ours, theirs = [texts[i] for i in at], [references[qids[i]] for i in at]
            for name, scores in quality.quality(ours, theirs, target).items():
                for i, score in zip(at, scores, strict=True):
                    columns[name][i] = score
            summary |= {"references": len(at)} | _rounded(quality.of_set(ours, theirs, target))
        job.progress(1, 4)
        if "back" in job.inputs:
            back = job.read("back", "back")
            again = dict(zip(back["qid"].to_pylist(), back["text"].to_pylist(), strict=True))
            returned = [again[qid] for qid in qids]
            columns["round_trip_chrf"] = quality.quality(returned, sources, source)["chrf"]
            summary["round_trip_chrf"] = round(quality.of_set(returned, sources, source)["chrf"], 2)
        job.progress(2, 4)
        languages = quality.identified(texts)
        columns["confidence"] = [sure for _, sure in languages]
        flags = quality.flagged(sources, texts, source, target)
        summary |= {f"sign_{s}": sum(s in f for f in flags) for s in quality.ALL_SIGNS if any(s in f for f in flags)}
        if quality.known_to_identifier(target):
            summary["identified"] = round(sum(code == target for code, _ in languages) / max(n, 1), 4)
        job.progress(3, 4)
        about_each = {name: [about[name]] * n for name in about} | {
            "key": [job.key] * n,
            "translation_id": table["translation_id"].to_pylist(),
            "qid": qids,
            "language": [code for code, _ in languages],
            "signs": [" ".join(f) for f in flags],
        }
        job.write("audit", pa.table({**about_each, **columns}, schema=AUDIT))
        rows = self._costs(job, qids, columns, about)
        job.write("translation_cost", pa.Table.from_pylist(rows, schema=COST))
        job.progress(4, 4)
        return summary | {"systems": len({row["system"] for row in rows})}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        # lingua loads its models in 2 s; the bootstraps of 200 texts took 0.7.
        return Cost(seconds=STAGE + 2.0 + 0.0035 * (queries_of(stage.inputs["source"], estimator).texts or 0))

    def _costs(
        self, job: Job, qids: list[str], columns: dict[str, list[Any]], about: dict[str, str]
    ) -> list[dict[str, Any]]:
        """For each system and each kind of quality: its correlation with what queries lose."""
        source = job.read("source", "query")
        topic = dict(zip(source["qid"].to_pylist(), source["topic"].to_pylist(), strict=True))
        rows = []
        for runs in self.runs:
            measures = pa.concat_tables([job.read(f"measure.{run_id}", "measure") for run_id in (runs.low, runs.high)])
            lost = quality.losses(measures, runs.low, runs.high, self.measure)
            for kind in ("chrf", "round_trip_chrf"):
                pairs = [(q, s) for q, s in zip(qids, columns[kind], strict=True) if s is not None and q in lost]
                if not pairs:
                    continue
                groups = [topic[qid] for qid, _ in pairs]
                correlation = quality.spearman(
                    np.array([s for _, s in pairs]),
                    np.array([lost[q] for q, _ in pairs]),
                    groups,
                    self.confidence,
                    self.seed,
                )
                rows.append(
                    {"key": job.key, **about, "quality": kind, "system": runs.system, "measure": self.measure,
                     "rho": correlation.rho, "ci_low": correlation.low, "ci_high": correlation.high,
                     "confidence": self.confidence,
                     "n": correlation.n, "n_groups": correlation.n_groups, "seed": self.seed}
                )  # fmt: skip
        return rows


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(score, 2) for name, score in scores.items()}


def _references(job: Job) -> dict[str, str]:
    """By qid: what a translation should be: of a file, or the collection's own queries in that variety."""
    if "reference" not in job.inputs:
        return {}
    own = (job.inputs["reference"] / "rows" / "query.parquet").exists()
    table = job.read("reference", "query" if own else "reference")
    return dict(zip(table["qid"].to_pylist(), table["query"].to_pylist(), strict=True))
