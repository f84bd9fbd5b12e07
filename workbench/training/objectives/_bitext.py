"""What objectives have in common that read parallel texts, and no triples."""

from typing import Annotated, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator

from store import LswError
from workbench.collections.budgets import Noise, part
from workbench.registry import LOCAL, told
from workbench.systems._encoding import Positive
from workbench.training import encoders
from workbench.training.encoders import Column
from workbench.training.needs import TRAINING_QUERIES, BitextOf, Need
from workbench.training.objectives.base import Objective, Training
from workbench.varieties import Pair, pair

BITEXT = "bitext"


class OfBitext(Objective):
    """Learns from texts in the low-resource variety beside the same in the high-resource one.

    Args:
        bitext: the collection's training queries in both, or the path of a file.
        also: other pairs of varieties whose training queries, or whose file, are learnt from as well. Where adapters
            alone are trained (`frozen = ["embeddings", "body"]`), one model is as good as one for each.
        pairs: that are read, those with the smallest seeded hashes, so that more hold the fewer; None: all.
        words: of both sides that are read at most, by pairs in the same order (`workbench.collections.budgets`).
        noise: share of the pairs that are read whose target is replaced by another pair's.
        seed: of the hashes; None: the training's.
    """

    bitext: Annotated[str, LOCAL] = TRAINING_QUERIES
    also: list[Annotated[str, AfterValidator(told(lambda text: str(pair(text))))]] = []
    pairs: Positive | None = None
    words: Positive | None = None
    noise: Noise = 0.0
    seed: int | None = None

    reads_triples: ClassVar[bool] = False

    @property
    def pairs_beside(self) -> list[str]:
        return list(self.also)

    def needs(self, on: Pair) -> dict[str, Need]:
        others = {f"{BITEXT}.{name}": pair(name) for name in self.also if pair(name) != on}  # none is read twice
        return {role: BitextOf(of.low, of.high, self.bitext) for role, of in {BITEXT: on, **others}.items()}

    def parallel(self, training: Training, tokenizer: Any) -> pa.Table:
        """The pairs to learn from: id, source, target and their varieties. One that has no token on a side is left out,
        counted and told.

        Raises:
            LswError: none is left, or fewer than `pairs` or `words` ask for.
        """
        given = training.given
        table = pa.concat_tables(
            _with_varieties(given.tables[role]) for role in sorted(given.tables) if role.startswith(BITEXT)
        )
        if self.also:  # several have queries of one id
            names = (f"{row['source_variety']}-{row['target_variety']} {row['id']}" for row in table.to_pylist())
            table = table.set_column(table.schema.get_field_index("id"), "id", pa.array(names, pa.string()))
        empty = [_tokenless(tokenizer, table[side].to_pylist()) for side in ("source", "target")]
        kept = pc.invert(pc.or_(*empty))
        whole = table.filter(kept)
        left_out = len(table) - len(whole)
        if left_out:
            given.note(f"{left_out:,} of {len(table):,} parallel texts are left out: a side has no token")
        if not len(whole):
            raise LswError(
                "No parallel text is left to learn from.",
                f"{left_out:,} of {len(table):,} have a side without a token.",
                "Name another bitext.",
                exit_code=1,
            )
        seed = given.seed if self.seed is None else self.seed
        try:
            whole, counts = part(whole, self.pairs, self.words, self.noise, seed)
        except LswError as error:
            without = f"{left_out:,} of {len(table):,} have a side without a token."
            raise LswError(error.title, without, error.cure, exit_code=1) from None
        given.counts |= counts
        given.counts["pairs_without_token"] = left_out
        return whole

    def columns(self, training: Training, pairs: pa.Table) -> dict[str, Column]:
        """Both wordings, encoded as queries; the low-resource one through the adapter that its queries go through."""
        codes = pairs["source_variety"].to_pylist(), pairs["target_variety"].to_pylist()
        spoken = [encoders.spoken(training, low, high) for low, high in zip(*codes, strict=True)]
        return {
            "source": Column(pairs["source"], pa.chunked_array([spoken], pa.string()), True),
            "target": Column(pairs["target"], pairs["target_variety"], True),
        }


def _with_varieties(table: pa.Table) -> pa.Table:
    """A bitext's id, source and target, and the varieties that its metadata name."""
    codes = table.schema.metadata
    table = table.select(["id", "source", "target"]).replace_schema_metadata()
    for side in ("source", "target"):
        code = codes[side.encode()].decode()
        table = table.append_column(f"{side}_variety", pa.array([code] * len(table), pa.string()))
    return table


def _tokenless(tokenizer: Any, texts: list[str]) -> pa.Array:
    ids = tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"]
    return pa.array([not some for some in ids], pa.bool_())
