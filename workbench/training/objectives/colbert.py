"""ColBERTv2's in-batch training: two cross-entropies, added (Santhanam et al. 2022; `compute_ib_loss` of its code)."""

from typing import Any, ClassVar

from store import LswError
from workbench.training.objectives.in_batch_maxsim import InBatchMaxsim
from workbench.training.tuning import Tuning


class Colbert(InBatchMaxsim):
    """Of a query's passage against its own negatives, and of the same against all passages of other queries.

    So its own negatives count in the first alone, and other queries' in the second. As there, the batch is that of one
    process, and scores are divided by no temperature but 1.
    """

    architectures: ClassVar[tuple[str, ...]] = ("multi-vector",)

    def loss(self, model: Any, tuning: Tuning) -> Any:
        """Raises:
        LswError: the batch is to be computed in parts.
        """
        if tuning.accumulation > 1:
            raise LswError(
                "The objective 'colbert' computes a batch at once.",
                f"accumulation is {tuning.accumulation}.",
                "Set accumulation = 1 and a smaller batch_size, or objective = 'in-batch-maxsim'.",
            )
        import torch
        from sentence_transformers.multi_vector_encoder.losses import MultiVectorMultipleNegativesRankingLoss

        class TwoCrossEntropies(MultiVectorMultipleNegativesRankingLoss):  # type: ignore[misc, unused-ignore]
            similarity_fct: Any

            def forward(self, sentence_features: Any, labels: Any = None) -> Any:
                features: list[Any] = list(sentence_features)
                kept: list[Any] = []
                score = self.similarity_fct

                def keeping(*texts: Any, **masks: Any) -> Any:
                    kept.append(score(*texts, **masks))
                    return kept[-1]

                self.similarity_fct = keeping
                try:
                    super().forward(features, labels)
                finally:
                    self.similarity_fct = score
                scores = torch.cat(kept) * self.scale
                return two_cross_entropies(scores, len(features) - 1)

        return TwoCrossEntropies(model, scale=1 / tuning.temperature, gather_across_devices=False)


def two_cross_entropies(scores: Any, ways: int) -> Any:
    """The loss of a batch.

    Args:
        scores: of each query and each passage of the batch (queries x queries * ways), those of one query together, its
            relevant one first.
        ways: passages of each query.
    """
    import torch
    from torch.nn.functional import cross_entropy

    n = len(scores)
    first = torch.arange(n, device=scores.device) * ways
    own = first[:, None] + torch.arange(ways, device=scores.device)
    apart = scores.scatter(1, own[:, 1:], float("-inf"))
    among_own = cross_entropy(scores.gather(1, own), torch.zeros_like(first))
    return among_own + cross_entropy(apart, first)
