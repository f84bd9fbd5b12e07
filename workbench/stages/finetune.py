"""Fine-tuning one model on triples, or on what else its objective reads."""

import json
from collections.abc import Container, Iterator, Mapping
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import SerializeAsAny

from store import LswError
from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import MODEL, STAGE, TYPICAL, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.stages._behind import passages_of, queries_of
from workbench.stages._needed import needed
from workbench.stages.triples.base import TripleSource
from workbench.systems._passages import Reading
from workbench.systems.base import Encoder, Reranker, System
from workbench.talk import Summary
from workbench.text import convert
from workbench.training.distributed import share
from workbench.training.finetune import finetune
from workbench.training.held_out import HeldOut
from workbench.training.needs import Given, Need, TriplesOf
from workbench.training.objectives.base import ALIGNMENT, Objective, Training
from workbench.training.steps.base import Step
from workbench.training.trainer import processes
from workbench.training.tuning import Tuning
from workbench.varieties import Pair

STEP, OBJECTIVE = "step.", "objective."
"""How the roles begin of what steps and the objective need."""
PASSAGES = ".passages"
"""How the roles end of the passages that triples of another pair are of."""
_AT_ONCE = 50_000
_TEXTS = pa.schema(
    [(name, pa.string()) for name in ("query", "positive", "negative", "query_variety", "document_variety")]
)
_DOCNOS = ("docno_positive", "docno_negative")


class Finetune(Kind):
    """Leaves `checkpoint/` (the model), `rows/finetune.parquet` and `rows/loss.parquet`.

    Reads `checkpoint` (where it starts); if the objective reads some, `triples` and, unless these are whole texts,
    `passages`; where the collection has some, `dev_queries` and `dev_qrels`, for a figure that is logged beside the
    loss and changes nothing. An objective that aligns tokens leaves `rows/alignment.parquet`. What steps and the
    objective need has roles that begin with `STEP` and a number, or with `OBJECTIVE`.

    Args:
        system: its name in the recipe.
        base: what it starts from, for people.
        trained_on: a pair, or `crops`.
        ranker, tuning: what is trained, how.
        steps: what is done to the triples first.
        objective: what is minimised, if not what `tuning` or the system says.
        teachers: the systems that are learnt from, by the role of their weights.
        query_variety, document_variety, script: of the triples.
        processes: that share the training; 0: one for each GPU.
        report_to: trackers.
        not_done: steps of the recipe that change triples, of which the objective reads none.
    """

    system: str
    base: str
    trained_on: str
    ranker: SerializeAsAny[System]
    tuning: Tuning
    steps: list[SerializeAsAny[Step]] = []
    objective: SerializeAsAny[Objective] | None = None
    teachers: dict[str, SerializeAsAny[System]] = {}
    query_variety: str = ""
    document_variety: str = ""
    script: str = "as written"
    processes: Annotated[int, LOCAL] = 1
    report_to: Annotated[list[str], LOCAL] = []
    not_done: Annotated[list[str], LOCAL] = []

    version: ClassVar[int] = 3
    tables: ClassVar[tuple[str, ...]] = ("finetune", "loss", "alignment")
    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Train; goes on where an interrupted attempt saved last."""
        assert isinstance(self.ranker, Encoder | Reranker)
        counts: dict[str, float] = {}
        if self.not_done:
            counts["steps_not_done"] = len(self.not_done)
            job.note(
                f"not done for {self.system} on {self.trained_on}, which reads no triples: {', '.join(self.not_done)}"
            )
        triples = self._examples(job, counts)
        checkpoint = folder_in(job.inputs["checkpoint"])
        training = Training(
            self.ranker, checkpoint, triples, self.tuning, job.work, job.progress, tuple(self.report_to),
            self._held_out(job), self.objective, self._given(job, OBJECTIVE, {}),
        )  # fmt: skip
        sharing = processes(self.processes, self.tuning)
        out = job.out / "checkpoint"
        outcome = share(sharing, training, out) if sharing > 1 else finetune(training, out)
        losses = outcome.curve["loss"].drop_null().to_pylist()
        figures = outcome.curve["held_out"].drop_null().to_pylist()
        summary = {
            "examples": outcome.examples,
            "steps": outcome.steps,
            "loss_first": losses[0] if losses else None,
            "loss_last": losses[-1] if losses else None,
            "weight_change": outcome.weight_change,
            **counts,
            **training.given.counts,
        }
        if training.held_out and figures:
            summary |= {
                "held_out_queries": len(training.held_out.queries), "held_out_first": figures[0],
                "held_out_last": figures[-1],
            }  # fmt: skip
        row = {
            "model_key": job.key,
            "system": self.system,
            "base": self.base,
            "trained_on": self.trained_on,
            "learning_rate": self.tuning.learning_rate,
            "seed": self.tuning.seed,
            **{name: summary[name] for name in ("examples", "steps", "loss_first", "loss_last")},
            **{name: summary.get(name) for name in ("held_out_queries", "held_out_first", "held_out_last")},
            "weights_changed": True,  # `finetune` refuses otherwise
            "checkpoint": f"artifacts/{job.key}/checkpoint",
            "counts": json.dumps(counts | training.given.counts),
        }
        job.write("finetune", pa.Table.from_pylist([row]))
        job.write("loss", _of(job.key, outcome.curve))
        if (job.work / ALIGNMENT).exists():
            job.write("alignment", _of(job.key, pq.read_table(job.work / ALIGNMENT)))
        return summary

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        source = stage.inputs.get("triples")
        if source is None:
            return self._cost_of_bitext(stage, estimator)
        if "passages" not in stage.inputs or not isinstance(source.work, TripleSource):
            raise NotEstimatedError("How fast a model trains that is made by this recipe is known once it is made.")
        assert isinstance(self.ranker, Encoder | Reranker)
        tuning = self.tuning
        count = self._count(stage, estimator)
        steps = tuning.steps or max(1, round(-(-count // tuning.batch_size) * tuning.epochs))
        extent = passages_of(stage.inputs["passages"], estimator)
        mean = extent.mean_bytes or TYPICAL
        texts = estimator.texts(self.document_variety, extent)
        codes = self.query_variety, self.document_variety
        rate = estimator.seconds_to_step(self.ranker, tuning, texts, codes, mean)
        return Cost(
            tokens=round(2 * steps * tuning.batch_size * mean / 4),
            seconds=STAGE + steps * rate + 4 * MODEL,
            disk=estimator.weights(self.ranker),
        )

    def _count(self, stage: Stage, estimator: Estimator) -> int:
        """Triples that there will be after all steps, roughly."""

        def made(source: Stage) -> int:
            assert isinstance(source.work, TripleSource)
            return source.work.count(source, estimator)

        source = stage.inputs["triples"]
        count = made(source)
        asked = source.inputs.get("queries")
        a_pair = count / (queries_of(asked, estimator).texts or count) if asked else 1.0
        for number, step in enumerate(self.steps):
            start = f"{STEP}{number}."
            beside = {
                role.removeprefix(start): made(other)
                for role, other in stage.inputs.items()
                if role.startswith(start) and isinstance(other.work, TripleSource)
            }
            count = step.left(count, a_pair, beside)
        return count

    def _cost_of_bitext(self, stage: Stage, estimator: Estimator) -> Cost:
        """As if each text were in a triple of texts as long as itself, which is more than an objective does with two.

        Raises:
            NotEstimatedError: the parallel texts are no queries.
        """
        assert isinstance(self.ranker, Encoder)
        bitext = stage.inputs[f"{OBJECTIVE}bitext"]
        if "source" not in bitext.inputs:
            raise NotEstimatedError("How many parallel texts there are will be known once they are read.")
        extent = queries_of(bitext.inputs["source"], estimator)
        texts = list(extent.samples) or estimator.texts(self.query_variety, extent)
        length = self.tuning.query_length or self.ranker.query_length
        tuning = self.tuning.model_copy(update={"objective": None, "document_length": length})
        steps = tuning.steps or max(1, round(-(-(extent.texts or 0) // tuning.batch_size) * tuning.epochs))
        mean = extent.mean_bytes or TYPICAL
        codes = self.query_variety, self.document_variety
        rate = estimator.seconds_to_step(self.ranker, tuning, texts, codes, mean)
        tokens = round(2 * steps * tuning.batch_size * mean / 4)
        return Cost(tokens=tokens, seconds=STAGE + steps * rate + 4 * MODEL, disk=estimator.weights(self.ranker))

    def _held_out(self, job: Job) -> HeldOut | None:
        if "dev_queries" not in job.inputs:
            return None
        queries = job.queries("dev_queries")
        texts = convert(queries["query"].to_pylist(), self.query_variety, self.script)
        queries = queries.set_column(queries.schema.get_field_index("query"), "query", pa.array(texts))
        reading = Reading(job.passages("passages"), self.document_variety, self.script)
        return HeldOut.of(queries, job.read("dev_qrels", "qrel"), reading, self.tuning.seed, self.query_variety)

    def _examples(self, job: Job, counts: dict[str, float]) -> pa.Table:
        """Crops as they are, triples with their texts; nothing where the objective reads no triples."""
        if "triples" not in job.inputs:
            return _TEXTS.empty_table()
        return job.read("triples", "crops") if job.rows("triples", "crops").exists() else self._triples(job, counts)

    def _triples(self, job: Job, counts: dict[str, float]) -> pa.Table:
        """Triples with texts in the declared script, and their varieties; on disk, memory-mapped. Counts what steps
        did."""
        triples = self._looked_up(job, "triples", "passages", self._on)
        for number, step in enumerate(self.steps):
            given = self._given(job, f"{STEP}{number}.", step.needs(self._on))
            triples = step.done(triples, given)
            counts |= {_other(name, counts): value for name, value in given.counts.items()}
        if not len(triples):
            raise LswError("No triple is left to train on.", cure="Look at the steps of this training.", exit_code=1)
        return triples

    @property
    def _on(self) -> Pair:
        return Pair(self.query_variety, self.document_variety)

    def _looked_up(self, job: Job, role: str, passages: str, on: Pair) -> pa.Table:
        """The triples of a pair that an input left, with texts in the declared script; on disk, memory-mapped."""
        whole = job.rows(role, "texts").exists()
        docnos = _DOCNOS if not whole and any(step.several_languages for step in self.steps) else ()
        schema = pa.schema([*_TEXTS, *((name, pa.string()) for name in docnos)])
        path = job.work / f"{role}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for query, positive, negative, *others in self._texts(job, role, passages, on):
                n = len(query)
                codes = [on.low] * n, [on.high] * n
                columns = convert(query, on.low, self.script), positive, negative, *codes, *others[: len(docnos)]
                writer.write_table(pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema))
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()

    def _given(self, job: Job, beginning: str, needs: Mapping[str, Need]) -> Given:
        """What a step or the objective needs: the inputs whose role begins so, in the declared script."""
        given = Given(seed=self.tuning.seed, note=job.note)
        for role in job.inputs:
            name = role.removeprefix(beginning)
            if not role.startswith(beginning) or name.endswith(PASSAGES):
                continue
            need = needs.get(name)
            if role in self.teachers:
                given.teachers[name] = self.teachers[role], folder_in(job.inputs[role])
            elif isinstance(need, TriplesOf):
                given.tables[name] = self._looked_up(job, role, role + PASSAGES, need.pair)
            else:
                given.tables[name] = needed(job, role, self.script)
        return given

    def _texts(self, job: Job, role: str, passages: str, on: Pair) -> Iterator[tuple[list[str], ...]]:
        """Queries, positives and negatives, some at a time: of published triples as they are, else looked up, with
        their docnos.

        Of more mined ones than training will see that many are drawn, unless a step chooses among them. Those with a
        passage that is not in the collection (mMARCO has empty ones, which are not kept) are left out, and told.

        Raises:
            LswError: more than one in a hundred are.
        """
        if job.rows(role, "texts").exists():
            file = pq.ParquetFile(job.rows(role, "texts"))
            for batch in file.iter_batches(_AT_ONCE):
                query, *found = (batch[c].to_pylist() for c in ("query", "positive", "negative"))
                positive, negative = (convert(texts, on.high, self.script) for texts in found)
                yield query, positive, negative
            return
        mined, tuning = job.read(role, "triple"), self.tuning
        most = tuning.steps * tuning.batch_size if tuning.steps else 0
        if 0 < most < len(mined) and not any(step.chooses for step in self.steps):
            mined = mined.take(pa.array(np.sort(np.random.default_rng(tuning.seed).permutation(len(mined))[:most])))
        reading = Reading(job.passages(passages), on.high, self.script)
        left_out = 0
        for start in range(0, len(mined), _AT_ONCE):
            some = mined.slice(start, _AT_ONCE)
            docnos = [some[c].to_pylist() for c in ("docno_positive", "docno_negative")]
            text = reading.texts([*docnos[0], *docnos[1]])
            whole = [
                row for row in zip(some["query"].to_pylist(), *docnos, strict=True) if row[1] in text and row[2] in text
            ]
            left_out += len(some) - len(whole)
            if left_out > 0.01 * len(mined):
                lacking = next(d for d in (*docnos[0], *docnos[1]) if d not in text)
                raise LswError(
                    f"Passage '{lacking}' of a training triple is not in the collection.",
                    f"So it is with {left_out:,} of the first {start + len(some):,} triples.",
                    "At a sampled scale use mined negatives (negatives.source).",
                    exit_code=1,
                )
            query, positive, negative = ([row[i] for row in whole] for i in range(3))
            yield query, [text[p] for p in positive], [text[n] for n in negative], positive, negative
        if left_out:
            job.note(f"{left_out:,} of {len(mined):,} triples left out: a passage of theirs is not in the collection")


def _other(name: str, known: Container[str]) -> str:
    """The name of a count, numbered if a step before has one of that name."""
    new, number = name, 2
    while new in known:
        new, number = f"{name}_{number}", number + 1
    return new


def _of(key: str, rows: pa.Table) -> pa.Table:
    """Rows of one model."""
    return rows.add_column(0, "model_key", pa.array([key] * len(rows), pa.string()))
