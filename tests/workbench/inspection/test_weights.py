"""How far modules are apart, against numpy on the same numbers; and which weight is whose."""

import numpy as np
import pytest
import torch

from store import LswError
from workbench.checkpoints.resolve import SHIPPED
from workbench.inspection.layers import Layers
from workbench.inspection.weights import changes
from workbench.systems.multi_vector import MultiVector


def test_modules_are_as_far_apart_as_numpy_says() -> None:
    rng = np.random.default_rng(1)
    names = {
        "0.model.embeddings.word_embeddings.weight": (0, "words"),
        "0.model.embeddings.LayerNorm.weight": (0, "norms"),
        "0.model.encoder.layer.0.attention.self.query.weight": (1, "attention"),
        "0.model.encoder.layer.0.attention.output.dense.bias": (1, "attention"),
        "0.model.encoder.layer.0.output.adapter_modules.ca_ES.dense1.weight": (1, "adapter ca_ES"),
        "0.model.encoder.layer.0.output.adapter_modules.fr_XX.dense1.weight": (1, "other adapters"),
        "0.model.encoder.layer.11.intermediate.dense.weight": (12, "feed-forward"),
        "0.model.encoder.layer.11.output.LayerNorm.weight": (12, "norms"),
        "1.linear.weight": (None, "head"),
    }
    a = {name: rng.normal(size=(3, 4)) for name in names}
    b = {name: weight + 0.1 * rng.normal(size=(3, 4)) for name, weight in a.items()}
    b["1.linear.weight"] = a["1.linear.weight"]
    whole = {"0.model.position_ids": torch.arange(3)}
    found = changes(
        *({name: torch.tensor(weight) for name, weight in one.items()} | whole for one in (a, b)), {"ca_ES"}
    )
    assert [c.layer for c in found] == [0, 0, 1, 1, 1, 12, 12, None]
    for change in found:
        own = [name for name, module in names.items() if module == (change.layer, change.module)]
        first, second = (np.concatenate([one[name].ravel() for name in own]) for one in (a, b))
        norms = np.linalg.norm(first), np.linalg.norm(second)
        assert change.weights == len(first)
        assert change.relative == pytest.approx(np.linalg.norm(second - first) / norms[0])
        assert change.cosine == pytest.approx(first @ second / norms[0] / norms[1])
    assert found[-1].relative == 0 and found[-1].cosine == pytest.approx(1)


def test_what_is_0_has_no_share() -> None:
    [change] = changes({"a.weight": torch.zeros(3)}, {"a.weight": torch.ones(3)})
    assert change.relative is None and change.cosine is None


def test_every_weight_of_a_shipped_model_is_some_module() -> None:
    system = MultiVector(architecture="multi-vector", checkpoint="x", query_length=32, document_length=64)
    model = Layers(system, SHIPPED / "models" / "colbert-xm", "colbert-xm")
    state = model.model.state_dict()
    found = changes(state, state, {"fr_XX"})
    assert [(c.layer, c.module) for c in found if c.module in ("words", "adapter fr_XX", "head")] == [
        (0, "words"), (1, "adapter fr_XX"), (None, "head"),
    ]  # fmt: skip
    assert sum(c.weights for c in found) == sum(p.numel() for p in model.model.parameters())
    assert {c.module for c in found if c.relative != 0} == {"types"}  # which are all 0 in it


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"b.weight": torch.ones(3)}, "other weights"),
        ({"a.weight": torch.ones(4)}, r"a.weight has the shape \(3,\) in one and \(4,\)"),
    ],
)
def test_other_models_are_refused(other: dict[str, torch.Tensor], words: str) -> None:
    with pytest.raises(LswError, match=words):
        changes({"a.weight": torch.ones(3)}, other)
