"""How much longer one wording is than the other."""

from workbench.similarity.base import Feature, Measured, Wordings, pooled


class Length(Feature):
    """`length-ratio`: characters of the low-resource wording for each of the high-resource one, without space around
    the text; of the pair over all queries as one text."""

    def measure(self, of: Wordings) -> list[Measured]:
        counts = [(float(len(a.strip())), float(len(b.strip()))) for a, b in zip(of.low, of.high, strict=True)]
        return [pooled("length-ratio", counts, "no query has a text in the high-resource variety")]
