"""chrF of the low-resource wording with the high-resource one as its reference (Popović 2015), by sacrebleu."""

from workbench.similarity.base import QUERIES, Feature, Measured, Wordings


class Chrf(Feature):
    """`chrf`, 0 to 100, of each query; of the pair that of the whole set (not the mean).

    Recall counts twice as much as precision, so the direction matters: how much of the high-resource wording is there
    in the low-resource one. Letters as they are written, case and accents kept, as in the audits of translations.
    """

    def measure(self, of: Wordings) -> list[Measured]:
        from sacrebleu.metrics import CHRF

        metric = CHRF()
        both = [(a, b) if a.strip() and b.strip() else None for a, b in zip(of.low, of.high, strict=True)]
        by_query = [float(metric.sentence_score(pair[0], [pair[1]]).score) if pair else None for pair in both]
        known = [pair for pair in both if pair]
        if not known:
            return [Measured("chrf", None, 0, QUERIES, None, by_query, "no query has a text in both varieties")]
        whole = metric.corpus_score([a for a, _ in known], [[b for _, b in known]])
        return [Measured("chrf", float(whole.score), len(known), QUERIES, None, by_query)]

    def seconds(self, queries: int) -> float:
        return queries * 5e-4
