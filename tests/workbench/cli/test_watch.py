"""What is left on the screen of a recipe's stages."""

from typing import Any

import pytest

from workbench.cli.watch import Watcher
from workbench.costs.base import Cost
from workbench.costs.estimator import Estimator
from workbench.graph import Job, Kind, Stage


class Idle(Kind):
    """A stage that does nothing."""

    number: int

    def run(self, job: Job) -> dict[str, Any]:
        return {}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        raise NotImplementedError


class Ranking(Idle):
    group = "rank"


class Training(Idle):
    group = "train"


STAGES = [
    Stage(kind(number=i), f"{kind.__name__.lower()} number {i}")
    for i, kind in enumerate((Ranking, Training, Ranking, Training, Ranking))
]


def watch(folded: bool, cached: set[int] | None = None, fail: int | None = None) -> None:
    with Watcher("A title", STAGES if folded else ()) as watcher:
        for i, stage in enumerate(STAGES):
            watcher.begin(stage, i + 1, len(STAGES))
            watcher.progress(stage, 1, 2)
            if i == fail:
                raise ValueError("it fails")
            if i == 2:
                watcher.note("a note: 3 are left out")
            watcher.end(stage, "cached" if i in (cached or ()) else "made", 1.5, {"dropped": 7})


def test_a_group_leaves_one_line_when_its_last_stage_has_ended(capfd: pytest.CaptureFixture[str]) -> None:
    watch(folded=True)
    told = capfd.readouterr().err
    assert list(filter(None, told.splitlines())) == [
        "A title", "  a note: 3 are left out", "  train      2 stages, 3.0 s", "  rank       3 stages, 4.5 s",
    ]  # fmt: skip


def test_what_is_cached_is_counted_and_alone_not_worth_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    watch(folded=True, cached={0, 1, 3})
    told = capfd.readouterr().err
    assert "  rank       2 stages, 3.0 s, 1 more cached" in told and "train " not in told


def test_the_stage_that_fails_is_shown_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="it fails"):
        watch(folded=True, fail=3)
    told = list(filter(None, capfd.readouterr().err.splitlines()))
    assert told[2:] == [
        "  rank       2 stages, 3.0 s, 1 not done", "  train      1 stage, 1.5 s, 1 not done",
        "  stopped at: training number 3",
    ]  # fmt: skip


def test_each_stage_has_its_line_if_that_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    watch(folded=False)
    told = capfd.readouterr().err
    for stage in STAGES:
        assert f"     1.5 s  {stage.label}: dropped 7" in told
    assert "stages," not in told
