"""What objectives have in common that read parallel texts, and no triples."""

import hashlib
from typing import Annotated, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from store import LswError
from workbench.registry import LOCAL
from workbench.systems._encoding import Positive
from workbench.training import encoders
from workbench.training.encoders import Column
from workbench.training.needs import TRAINING_QUERIES, BitextOf, Need
from workbench.training.objectives.base import Objective, Training
from workbench.varieties import Pair

BITEXT = "bitext"


class OfBitext(Objective):
    """Learns from texts in the low-resource variety beside the same in the high-resource one.

    Args:
        bitext: the collection's training queries in both, or the path of a file.
        pairs: that are read, those with the smallest seeded hashes, so that more hold the fewer; None: all.
    """

    bitext: Annotated[str, LOCAL] = TRAINING_QUERIES
    pairs: Positive | None = None

    reads_triples: ClassVar[bool] = False

    def needs(self, on: Pair) -> dict[str, Need]:
        return {BITEXT: BitextOf(on.low, on.high, self.bitext)}

    def parallel(self, training: Training, tokenizer: Any) -> pa.Table:
        """The pairs to learn from: id, source, target. One that has no token on a side is left out, counted and told.

        Raises:
            LswError: none is left, or fewer than `pairs` asks for.
        """
        given = training.given
        table = given.tables[BITEXT]
        empty = [_tokenless(tokenizer, table[side].to_pylist()) for side in ("source", "target")]
        kept = pc.invert(pc.or_(*empty))
        whole = table.filter(kept)
        left_out = len(table) - len(whole)
        if left_out:
            given.note(f"{left_out:,} of {len(table):,} parallel texts are left out: a side has no token")
        if not len(whole) or (self.pairs and self.pairs > len(whole)):
            wanted = f"{self.pairs:,} are asked for" if self.pairs else "none can be learnt from"
            raise LswError(
                f"There are {len(whole):,} parallel texts, and {wanted}.",
                f"{left_out:,} of {len(table):,} have a side without a token.",
                "Set a smaller `pairs`, or name another bitext.",
                exit_code=1,
            )
        if self.pairs:
            whole = chosen(whole, self.pairs, given.seed)
        given.counts |= {"pairs": len(whole), "pairs_without_token": left_out}
        return whole

    def columns(self, training: Training, pairs: pa.Table) -> dict[str, Column]:
        """Both wordings, encoded as queries; the low-resource one through the adapter that its queries go through."""
        low, high = training.varieties
        return {
            "source": Column(pairs["source"], encoders.spoken(training, low, high), True),
            "target": Column(pairs["target"], high, True),
        }


def chosen(table: pa.Table, most: int, seed: int) -> pa.Table:
    """So many rows with the smallest seeded hashes of their ids, in the order of the table."""
    ids = table["id"].to_pylist()
    order = sorted(range(len(ids)), key=lambda i: hashlib.sha256(f"{seed}:{ids[i]}".encode()).digest())
    return table.take(pa.array(sorted(order[:most]), pa.int64()))


def _tokenless(tokenizer: Any, texts: list[str]) -> pa.Array:
    ids = tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"]
    return pa.array([not some for some in ids], pa.bool_())
