"""Optimal transport with an entropy term, by Sinkhorn's iterations on logarithms, for a batch of padded problems.

min <P, C> + eps sum P log P over plans P with the marginals a and b (Cuturi 2013, arXiv 1306.0895); the updates of the
dual potentials on logarithms are those of Peyré and Cuturi 2019 (arXiv 1803.00567, section 4.4).
"""

from typing import Any

from store import LswError


def uniform(mask: Any) -> Any:
    """The logarithm of a uniform marginal over what is there: log 1/n, and -inf on padding.

    Args:
        mask: what is no padding, bool (batch x n).
    """
    import torch

    size = mask.sum(dim=1, keepdim=True).float()
    return torch.where(mask, -size.log(), torch.full_like(size, float("-inf")))


def plan(cost: Any, log_a: Any, log_b: Any, entropy: float, iterations: int = 50, tolerance: float = 1e-3) -> Any:
    """The plan of each problem.

    A problem ends by itself, after `iterations` or once its marginals are met, so that its plan does not depend on what
    else is in the batch.

    Args:
        cost: float (batch x n x m); on padding any finite number.
        log_a, log_b: logarithms of the marginals, -inf on padding (batch x n, batch x m).
        entropy: eps, of the entropy term.
        iterations: updates of both potentials at most.
        tolerance: sum of |row sum - a| at which a problem is solved; column sums are met by then.

    Returns:
        plans, float32 (batch x n x m), 0 on padding; without a gradient.

    Raises:
        LswError: a plan is not finite.
    """
    import torch

    with torch.no_grad():
        scaled = -cost.detach().float() / entropy
        log_a, log_b = log_a.float(), log_b.float()
        f, g = torch.zeros_like(log_a), torch.zeros_like(log_b)
        unsolved = torch.ones(len(scaled), 1, dtype=torch.bool, device=scaled.device)
        for _ in range(iterations):
            f = torch.where(unsolved, log_a - torch.logsumexp(scaled + g[:, None, :], dim=2), f)
            g = torch.where(unsolved, log_b - torch.logsumexp(scaled + f[:, :, None], dim=1), g)
            rows = torch.logsumexp(scaled + f[:, :, None] + g[:, None, :], dim=2).exp()
            unsolved &= (rows - log_a.exp()).abs().sum(dim=1, keepdim=True) >= tolerance
            if not unsolved.any():
                break
        plans = (scaled + f[:, :, None] + g[:, None, :]).exp()
    if not torch.isfinite(plans).all():
        raise LswError(
            f"The transport plan is not finite with an entropy of {entropy:g}.",
            "Costs divided by so small an entropy leave what float32 can hold, or the vectors are not finite.",
            "Raise `entropy` of the objective: 0.1 is usual for costs of 0 to 2.",
            exit_code=1,
        )
    return plans
