"""OPTICAL: optimal transport distillation from parallel texts (Huang, Yu and Allan 2023, arXiv 2301.12566)."""

from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.collections.budgets import hashed
from workbench.systems._encoding import Positive
from workbench.training import encoders, sinkhorn
from workbench.training.held_out import Scorer
from workbench.training.objectives._bitext import OfBitext
from workbench.training.objectives.base import ALIGNMENT, Prepared, Training
from workbench.training.tuning import Rate

SHOWN = 20
"""Parallel texts whose plan is kept."""


class Optical(OfBitext):
    """The query encoder learns to give a low-resource text the token vectors that the teacher gives the other wording.

    The teacher is what training starts from, whole and frozen; passages stay with it, so that one index serves all.
    H (n x d) are the teacher's vectors of the high-resource text, L (m x d) the student's of the low-resource one, of
    unit length, without special tokens, markers and expansion; C = 1 - H L'; P the plan of the entropic problem with
    marginals 1/n and 1/m, without a gradient; the loss <P, C>, averaged over the batch.

    Args:
        entropy: of the plan; with `iterations` and `tolerance` recalled, not read in the publication: see
            `workbench.training.sinkhorn`.
        alignment: ablations. `argmax`: each low-resource token with the nearest other; `uniform`: all with all;
            `random`: the plan of random costs; `identity`: by position; `means`: no plan, but the mean squared error
            between the means of token vectors.
    """

    entropy: Rate = 0.1
    iterations: Positive = 50
    tolerance: Rate = 1e-3
    alignment: Literal["optimal-transport", "argmax", "uniform", "random", "identity", "means"] = "optimal-transport"

    architectures: ClassVar[tuple[str, ...]] = ("multi-vector",)

    @property
    def keeps_passages(self) -> bool:
        return True

    def scorer(self, training: Training, model: Any) -> Scorer:
        return encoders.scorer(training, model, encoders.teacher(training))

    def prepare(self, training: Training) -> Prepared:
        model, teacher = encoders.student(training), encoders.teacher(training)
        pairs = self.parallel(training, model.tokenizer)
        distance = _distance(self, model, teacher)
        columns = self.columns(training, pairs)
        trainer, module, save = encoders.trainer(training, model, columns, distance, in_parts=True, apart=False)

        def saved(out: Path) -> None:
            save(out)
            pq.write_table(self._kept(trainer, pairs, module, teacher, training.given.seed), training.work / ALIGNMENT)

        return trainer, module, saved

    def loss(self, teacher: Any, student: Any, of_teacher: Any, of_student: Any) -> Any:
        """What is minimised.

        Args:
            teacher, student: unit token vectors, float (batch x n x d, batch x m x d).
            of_teacher, of_student: which of them count, bool (batch x n, batch x m).
        """
        import torch

        if self.alignment == "means":
            means = [
                (vectors * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
                for vectors, mask in ((teacher, of_teacher), (student, of_student))
            ]
            return torch.nn.functional.mse_loss(means[1], means[0])
        cost = 1 - teacher @ student.transpose(1, 2)
        return (self.aligned(cost, of_teacher, of_student) * cost).sum(dim=(1, 2)).mean()

    def aligned(self, cost: Any, of_teacher: Any, of_student: Any) -> Any:
        """Plans of the declared kind, without a gradient: 0 on what does not count, all together 1 a text.

        Args:
            cost: float (batch x n x m).
            of_teacher, of_student: as in `loss`.
        """
        import torch

        cost = cost.detach()
        both = of_teacher[:, :, None] & of_student[:, None, :]
        if self.alignment in ("optimal-transport", "random"):
            return self.plan(torch.rand_like(cost) if self.alignment == "random" else cost, of_teacher, of_student)
        if self.alignment == "uniform":
            plans = both.float()
        elif self.alignment == "identity":  # the k-th token that counts with the k-th
            places = of_teacher.cumsum(dim=1), of_student.cumsum(dim=1)
            plans = (both & (places[0][:, :, None] == places[1][:, None, :])).float()
        else:
            nearest = cost.masked_fill(~both, float("inf")).argmin(dim=1, keepdim=True)
            plans = torch.zeros_like(cost).scatter(1, nearest, 1.0) * both
        return plans / plans.sum(dim=(1, 2), keepdim=True)

    def plan(self, cost: Any, of_teacher: Any, of_student: Any) -> Any:
        """The plans of optimal transport between uniform marginals."""
        log_a, log_b = sinkhorn.uniform(of_teacher), sinkhorn.uniform(of_student)
        return sinkhorn.plan(cost, log_a, log_b, self.entropy, self.iterations, self.tolerance)

    def _kept(self, trainer: Any, pairs: pa.Table, model: Any, teacher: Any, seed: int) -> pa.Table:
        """The plans of a few texts, by the model as it is now and as it was: a row for each token and token."""
        import torch

        ids, rows = pairs["id"].to_pylist(), []
        tokenizer, was = model.tokenizer, model.training
        model.eval()
        for place in sorted(hashed(ids, seed)[:SHOWN]):
            features, _ = trainer.collect_features(trainer.data_collator([trainer.train_dataset[place]]))
            low, high = (_on(side, model.device) for side in features)
            masks = [counted(tokenizer, side, teacher.prompts.get("query")) for side in (high, low)]
            with torch.no_grad():
                theirs = token_vectors(teacher.to(model.device), high)
                plans = [
                    self.plan(1 - theirs @ token_vectors(by, low).transpose(1, 2), *masks)[0] for by in (model, teacher)
                ]
            words = [
                tokenizer.convert_ids_to_tokens(side["input_ids"][0][mask[0]].tolist())
                for side, mask in ((high, masks[0]), (low, masks[1]))
            ]
            now, before = (p[masks[0][0]][:, masks[1][0]].tolist() for p in plans)
            rows += [
                {"id": ids[place], "source_position": j, "source_token": source, "target_position": i,
                 "target_token": target, "weight": now[i][j], "weight_before": before[i][j]}
                for j, source in enumerate(words[1])
                for i, target in enumerate(words[0])
            ]  # fmt: skip
        model.train(was)
        return pa.Table.from_pylist(rows, schema=KEPT)


KEPT = pa.schema(
    [
        ("id", pa.string()), ("source_position", pa.int32()), ("source_token", pa.string()),
        ("target_position", pa.int32()), ("target_token", pa.string()), ("weight", pa.float32()),
        ("weight_before", pa.float32()),
    ]
)  # fmt: skip
"""A source token is of the low-resource text, a target token of the other."""


def _distance(objective: Optical, model: Any, teacher: Any) -> Any:
    """The objective as a module of sentence-transformers' kind; the teacher is no part of it."""
    import torch

    frozen, tokenizer, prompt = [teacher], model.tokenizer, model.prompts.get("query")

    class Distance(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, sentence_features: Any, labels: Any = None) -> Any:
            low, high = sentence_features
            of_low, of_high = (counted(tokenizer, side, prompt) for side in (low, high))
            student = token_vectors(self.model, low)
            with torch.no_grad():
                theirs = token_vectors(frozen[0].to(student.device), high)
            return objective.loss(theirs, student, of_high, of_low)

    return Distance()


def token_vectors(model: Any, features: dict[str, Any]) -> Any:
    """Token vectors as queries have them, float32 (batch x tokens x dimensions); `features` stay as they are."""
    return model(dict(features), task="query")["token_embeddings"].float()


def counted(tokenizer: Any, features: dict[str, Any], prompt: str | None) -> Any:
    """Which tokens are of the text itself: no padding, special token, marker or expansion; bool (batch x tokens).

    Args:
        tokenizer: of the model.
        features: before they are encoded, padded on the right.
        prompt: what is written before a query, as ColBERT's marker.
    """
    import torch

    ids = features["input_ids"]
    names = ("cls", "bos", "sep", "eos", "pad", "mask")
    special = {getattr(tokenizer, f"{name}_token_id", None) for name in names} - {None}
    mask = features["attention_mask"].bool() & ~torch.isin(ids, torch.tensor(sorted(special), device=ids.device))
    if prompt:
        whole, alone = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (f"{prompt}x", "x"))
        mask &= mask.cumsum(dim=1) > len(whole) - len(alone)
    return mask


def _on(features: dict[str, Any], device: Any) -> dict[str, Any]:
    import torch

    return {name: value.to(device) if torch.is_tensor(value) else value for name, value in features.items()}
