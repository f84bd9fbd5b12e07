"""Transport plans against an independent solver (POT), and against linear programmes."""

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from store import LswError
from workbench.training.sinkhorn import plan, uniform


def problems(sizes: list[tuple[int, int]], seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Costs of unit vectors as the objective has them, padded to one size with what must not matter."""
    rng = np.random.default_rng(seed)
    n, m = (max(size[axis] for size in sizes) for axis in (0, 1))
    costs = np.full((len(sizes), n, m), 7.0)
    masks = np.zeros((len(sizes), n), bool), np.zeros((len(sizes), m), bool)
    for k, (rows, columns) in enumerate(sizes):
        a, b = (rng.normal(size=(count, 8)) for count in (rows, columns))
        a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        costs[k, :rows, :columns] = 1 - a @ b.T
        masks[0][k, :rows], masks[1][k, :columns] = True, True
    return torch.tensor(costs), uniform(torch.tensor(masks[0])), uniform(torch.tensor(masks[1]))


SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4)


@given(SIZES, st.sampled_from([0.05, 0.1, 0.5, 2.0]), st.integers(0, 2**31))
@settings(max_examples=40)
def test_plans_are_those_of_an_independent_solver(sizes: list[tuple[int, int]], entropy: float, seed: int) -> None:
    cost, log_a, log_b = problems(sizes, seed)
    plans = plan(cost, log_a, log_b, entropy, iterations=5000, tolerance=1e-6).numpy()
    for k, (n, m) in enumerate(sizes):
        a, b = np.full(n, 1 / n), np.full(m, 1 / m)
        theirs = ot.bregman.sinkhorn_log(a, b, cost[k, :n, :m].numpy(), entropy, numItermax=20_000, stopThr=1e-10)
        assert plans[k, :n, :m] == pytest.approx(theirs, abs=5e-4)
        assert plans[k].sum(axis=1)[:n] == pytest.approx(a, abs=1e-4)
        assert plans[k].sum(axis=0)[:m] == pytest.approx(b, abs=1e-4)
        assert not plans[k, n:].any() and not plans[k, :, m:].any()


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**31))
@settings(max_examples=15)
def test_with_little_entropy_a_plan_costs_what_the_best_one_does(n: int, m: int, seed: int) -> None:
    cost, log_a, log_b = problems([(n, m)], seed)
    flat = cost[0].numpy().ravel()
    rows = [np.repeat(np.eye(n)[i], m) for i in range(n)]
    columns = [np.tile(np.eye(m)[j], n) for j in range(m)]
    best = linprog(flat, A_eq=np.array(rows + columns), b_eq=[1 / n] * n + [1 / m] * m)
    ours = plan(cost, log_a, log_b, entropy=0.01, iterations=2000, tolerance=1e-4)[0].numpy()
    # The entropy of a plan over n x m cells is log(n m) at most.
    assert best.fun - 2e-3 <= (ours.ravel() * flat).sum() <= best.fun + 0.01 * np.log(n * m) + 2e-3


def test_a_plan_does_not_depend_on_its_batch() -> None:
    """Others take longer, and it goes no further than alone: to the bit, though it is padded."""
    sizes = [(3, 4), (9, 2), (1, 1), (7, 8)]
    cost, log_a, log_b = problems(sizes, 5)
    together = plan(cost, log_a, log_b, 0.05, 50, 1e-3)
    for k, (n, m) in enumerate(sizes):
        alone = plan(cost[k : k + 1, :n, :m], log_a[k : k + 1, :n], log_b[k : k + 1, :m], 0.05, 50, 1e-3)
        assert together[k, :n, :m].numpy() == pytest.approx(alone[0].numpy(), rel=1e-5)


def test_it_stops_where_it_is_told_to() -> None:
    cost, log_a, log_b = problems([(6, 7)], 3)
    once = plan(cost, log_a, log_b, 0.05, iterations=1)
    enough = plan(cost, log_a, log_b, 0.05, iterations=10_000, tolerance=1e-3)
    off = [float((p.sum(dim=2) - log_a.exp()).abs().sum()) for p in (once, enough)]
    assert off[0] > 1e-2 and 1e-6 < off[1] < 1e-3
    assert not enough.requires_grad


def test_a_plan_that_is_not_finite_names_the_entropy() -> None:
    cost, log_a, log_b = problems([(3, 3)], 1)
    with pytest.raises(LswError, match="not finite with an entropy of 1e-42") as caught:
        plan(cost, log_a, log_b, 1e-42)
    assert "entropy" in caught.value.cure
