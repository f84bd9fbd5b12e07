"""How similar the two varieties of a pair are, and each query in its two wordings."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import AfterValidator, SerializeAsAny

from store import LswError
from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import told
from workbench.similarity.base import Feature, Measured, Wordings
from workbench.similarity.tokenizers import tokenizer
from workbench.stages._behind import queries_of
from workbench.talk import Summary
from workbench.text import SCRIPTS, convert, known_script
from workbench.varieties import Pair

TOKENIZER = "tokenizer."
"""How the roles begin of the models whose tokenizers are looked at; the system's name follows."""

_WHOSE = [("low", pa.string()), ("high", pa.string())]
PAIR = pa.schema(
    [*_WHOSE, ("feature", pa.string()), ("tokenizer", pa.string()), ("value", pa.float64()), ("n", pa.int32()),
     ("source", pa.string()), ("why_not", pa.string())]
)  # fmt: skip
QUERY = pa.schema(
    [*_WHOSE, ("qid", pa.string()), ("feature", pa.string()), ("tokenizer", pa.string()), ("value", pa.float64())]
)


class Similarity(Kind):
    """Leaves `rows/similarity.parquet` (a row for each feature and tokenizer) and `rows/query_similarity.parquet` (for
    each query that has both wordings, too). What there is not is null.

    Reads the queries of both varieties, `low` and `high`, and the models whose tokenizers are looked at,
    `tokenizer.NAME`.

    Args:
        low, high: the varieties.
        features: that are measured.
        script: how both are written when they are measured (`workbench.text.SCRIPTS`), as systems see them.
    """

    low: str
    high: str
    features: list[SerializeAsAny[Feature]]
    script: Annotated[str, AfterValidator(told(known_script))] = SCRIPTS[0]

    version: ClassVar[int] = 2
    tables: ClassVar[tuple[str, ...]] = ("similarity", "query_similarity")

    def run(self, job: Job) -> Summary:
        """Measure.

        Raises:
            LswError: no query has both wordings; a model has no tokenizer; a feature is measured twice.
        """
        sides = [dict(zip(*(job.queries(side)[c].to_pylist() for c in ("qid", "query")), strict=True))
                 for side in ("low", "high")]  # fmt: skip
        qids = [qid for qid in sides[0] if qid in sides[1]]
        if not qids:
            raise LswError(
                f"No query is there in both {self.low} and {self.high}.",
                cure="Is the collection parallel in these two? Name a translator in [translation].",
                exit_code=1,
            )
        left_out = len(sides[0]) + len(sides[1]) - 2 * len(qids)
        if left_out:
            job.note(f"{left_out:,} queries of {self.low} and {self.high} left out: they have one wording only")
        low, high = (
            convert([side[qid] for qid in qids], code, self.script)
            for side, code in zip(sides, (self.low, self.high), strict=True)
        )
        cuts = {
            role.removeprefix(TOKENIZER): tokenizer(folder_in(folder))
            for role, folder in job.inputs.items()
            if role.startswith(TOKENIZER)
        }
        wordings = Wordings(Pair(self.low, self.high), low, high, cuts)
        found: dict[tuple[str, str | None], Measured] = {}
        for done, feature in enumerate(self.features):
            job.progress(done, len(self.features))
            for one in feature.measure(wordings):
                if (one.feature, one.tokenizer) in found:
                    raise LswError(f"The feature '{one.feature}' is measured twice.", cure="Name each feature once.")
                found[one.feature, one.tokenizer] = one
        job.progress(len(self.features), len(self.features))
        job.write("similarity", pa.Table.from_pylist([self._row(one) for one in found.values()], schema=PAIR))
        job.write("query_similarity", _by_query([self.low, self.high], qids, list(found.values())))
        return {"queries": len(qids), "left_out": left_out, **_counted(job, found, wordings.on)}

    def _row(self, one: Measured) -> dict[str, Any]:
        about = {name: getattr(one, name) for name in ("feature", "tokenizer", "value", "n", "source", "why_not")}
        return {"low": self.low, "high": self.high, **about}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        queries = queries_of(stage.inputs["high"], estimator).texts or 0
        return Cost(seconds=STAGE + sum(feature.seconds(queries) for feature in self.features))


def _by_query(on: list[str], qids: list[str], found: list[Measured]) -> pa.Table:
    def rows() -> Iterator[tuple[Any, ...]]:
        for one in found:
            for qid, value in zip(qids, one.by_query, strict=True) if one.by_query else ():
                yield *on, qid, one.feature, one.tokenizer, value

    columns = list(zip(*rows(), strict=True)) or [()] * len(QUERY)
    return pa.table([pa.array(c, field.type) for c, field in zip(columns, QUERY, strict=True)], schema=QUERY)


def _counted(job: Job, found: dict[tuple[str, str | None], Measured], on: Pair) -> Summary:
    """How many features and values of queries there are, and how many there are not."""
    missing = {one.feature: one.why_not for one in found.values() if one.value is None}
    if missing:
        job.note(f"{on}: not known: {', '.join(missing)} (why: `why_not` of the view `similarities`)")
    values = [value for one in found.values() for value in one.by_query]
    return {
        "features": len(found),
        "missing": sum(one.value is None for one in found.values()),
        "values": len(values),
        "missing_values": sum(value is None for value in values),
    }
