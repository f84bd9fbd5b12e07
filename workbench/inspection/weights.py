"""How far each module of a model is from the same one of another."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from store import LswError

_LAYER = re.compile(r"(?:^|\.)(?:layer|layers|block)\.(\d+)\.(.+)")
_ADAPTER = re.compile(r"adapter_modules\.([^.]+)\.")
_EMBEDDED = {"word_embeddings": "words", "position_embeddings": "positions", "token_type_embeddings": "types"}
OTHERS = "other adapters"


@dataclass(frozen=True)
class Change:
    """A module of two models: the layer it belongs to (0: embeddings; None: after the last), its weights, how far they
    are apart: |B - A| / |A| (Frobenius norms), and the cosine of A and B as vectors. None where a norm is 0."""

    module: str
    layer: int | None
    weights: int
    relative: float | None
    cosine: float | None


def changes(first: Mapping[str, Any], second: Mapping[str, Any], adapters: Collection[str] = ()) -> list[Change]:
    """What lies between two models, module by module, in the order of the layers.

    Args:
        first, second: tensors by name, as of `state_dict`.
        adapters: X-MOD's that are shown one by one; the rest together.

    Raises:
        LswError: the two have other names or shapes.
    """
    names = [name for name, weight in first.items() if weight.is_floating_point()]
    others = [name for name, weight in second.items() if weight.is_floating_point()]
    if odd := sorted(set(names) ^ set(others)):
        raise LswError(
            "The two models have other weights.", f"Only one of them has {odd[0]}, and {len(odd) - 1} more are so."
        )
    sums: dict[tuple[int | None, str], list[float]] = {}
    for name in names:
        a, b = first[name].double().cpu(), second[name].double().cpu()
        if a.shape != b.shape:
            raise LswError(f"{name} has the shape {tuple(a.shape)} in one and {tuple(b.shape)} in the other.")
        found = sums.setdefault(module_of(name, adapters), [0.0] * 5)
        parts = a.numel(), ((b - a) ** 2).sum(), (a**2).sum(), (b**2).sum(), (a * b).sum()
        sums[module_of(name, adapters)] = [total + float(part) for total, part in zip(found, parts, strict=True)]
    last = max((layer for layer, _ in sums if layer is not None), default=0) + 1
    out = []
    for (layer, module), (count, apart, size, other, dot) in sorted(
        sums.items(), key=lambda item: last if item[0][0] is None else item[0][0]
    ):
        relative = (apart / size) ** 0.5 if size else None
        cosine = min(1.0, dot / (size * other) ** 0.5) if size and other else None
        out.append(Change(module, layer, int(count), relative, cosine))
    return out


def module_of(name: str, adapters: Collection[str] = ()) -> tuple[int | None, str]:
    """The layer and the module of a weight, by its name in XLM-R, X-MOD and their kin."""
    if found := _LAYER.search(name):
        layer, rest = int(found[1]) + 1, found[2]
        if adapter := _ADAPTER.search(rest):
            return layer, f"adapter {adapter[1]}" if adapter[1] in adapters else OTHERS
        if "norm" in rest.lower():
            return layer, "norms"
        return layer, "attention" if "attention" in rest.lower() else "feed-forward"
    if "embeddings" in name:
        return 0, next((word for part, word in _EMBEDDED.items() if part in name), "norms")
    return None, "pooler" if "pooler" in name else "head"
