"""Who is at work on a recipe run and how long it will take: known at once when a process is killed, never guessed."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from store import Store, browse
from store.following import Following

ID = "0123456789ab"
WORK = """
import os, sys, time
from pathlib import Path
from store.events import Events, host
events = Events(Path(sys.argv[1]))
with events.held(sys.argv[2]) as locked:
    events.emit(sys.argv[2], "started", stages=3, host=sys.argv[3] or host(), locked=locked)
    print(flush=True)
    sys.stdin.read()
    events.emit(sys.argv[2], "done")
"""


def begin(store: Store, host: str = "") -> subprocess.Popen[str]:
    """A process at work, which ends when its stdin does."""
    words = [sys.executable, "-c", WORK, str(store.events.folder), ID, host]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    return process


def who(store: Store) -> str:
    return str(browse.progress(store, ID)["holder"])


def test_a_killed_process_is_known_at_once(store: Store) -> None:
    first, second = begin(store), begin(store)
    following = Following(store.events, ID)
    assert (who(store), following.now()["holder"]) == ("alive", "alive")
    second.kill()
    second.wait()
    assert who(store) == "alive"  # the other one is at it yet
    first.kill()
    first.wait()
    began = time.monotonic()
    assert (who(store), following.now()["holder"]) == ("gone", "gone")
    assert time.monotonic() - began < 1
    with begin(store) as third:  # begun again
        assert (who(store), following.now()["holder"]) == ("alive", "alive")
        third.communicate("")
    assert third.returncode == 0
    assert (who(store), following.now()["holder"]) == ("ended", "ended")


def test_who_looks_does_not_stand_in_the_way(store: Store) -> None:
    with store.events.held(ID) as locked:
        assert locked and store.events.is_held(ID)
        with store.events.held(ID) as both:
            assert both
        assert store.events.is_held(ID)
    assert store.events.is_held(ID) is False


@pytest.mark.parametrize(
    ("about", "expected"), [({"host": "another.example", "locked": True}, "elsewhere"), ({}, "unknown")]
)
def test_what_nobody_can_know_is_not_said(store: Store, about: dict[str, Any], expected: str) -> None:
    assert who(store) == "unknown"  # there is not even a file
    store.events.emit(ID, "started", stages=3, **about)
    assert who(store) == expected
    with store.events.held(ID):
        assert who(store) == "alive"


def test_a_line_cut_by_a_killed_writer_costs_no_other(store: Store) -> None:
    path = store.events.path(ID)
    path.write_text('{"time": 1, "pid": 7, "event": "progress", "do', "utf-8")
    assert list(store.events.read(ID)) == []
    with store.events.held(ID):
        store.events.emit(ID, "started", stages=4)
    assert [event["event"] for event in store.events.read(ID)] == ["started"]
    assert browse.progress(store, ID)["stages"] == 4


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [1000.0]
    monkeypatch.setattr(time, "time", lambda: at[0])
    return at


def test_how_long_it_will_take(store: Store, clock: list[float]) -> None:
    """Counted by hand: six stages, the second to fourth alike, the last unknown."""
    following = Following(store.events, ID)

    def left() -> tuple[float | None, int, int]:
        row = following.now()
        fresh = Following(store.events, ID).now()  # read whole, or line by line: the same
        assert (row["seconds_left"], row["unknown"]) == (fresh["seconds_left"], fresh["unknown"])
        return row["seconds_left"], row["unknown"], row["finished"]

    assert left() == (None, 0, 0)
    expected, alike = [0.0, 30.0, 30.0, 30.0, 8.0, None], [0, 1, 1, 1, 2, 3]
    store.events.emit(ID, "started", stages=6, expected=expected, alike=alike)
    assert left() == (98.0, 1, 0)
    store.events.emit(ID, "stage", status="cached", position=1, label="a")
    store.events.emit(ID, "stage", status="running", position=2, label="b")
    clock[0] += 10
    assert left() == (88.0, 1, 1)  # 20 of 30 are left, 30, 30, 8
    store.events.emit(ID, "progress", done=1, total=5)
    assert left() == (108.0, 1, 1)  # at this pace 40 are left
    clock[0] += 4
    assert left() == (104.0, 1, 1)
    clock[0] += 36
    store.events.emit(ID, "stage", status="done", position=2, seconds=49.0)
    assert left() == (68.0, 1, 2)  # one alone may have been the first to load a model
    store.events.emit(ID, "stage", status="running", position=3, label="c")
    clock[0] += 70
    assert left() == (38.0, 1, 2)  # longer than expected: never less than nothing
    store.events.emit(ID, "stage", status="done", position=3)
    assert left() == (68.0, 1, 3)  # two took 50 and 70: the next may take 60
    store.events.emit(ID, "stage", status="done", position=4)
    store.events.emit(ID, "stage", status="done", position=5)
    store.events.emit(ID, "stage", status="running", position=6, label="f")
    assert left() == (None, 1, 5)
    store.events.emit(ID, "done")
    assert left()[:2] == (0.0, 0)


def test_only_new_lines_are_read(store: Store, tmp_path: Path) -> None:
    store.events.emit(ID, "started", stages=2)
    first, offset = store.events.after(ID, 0)
    assert [event["event"] for event in first] == ["started"]
    with store.events.path(ID).open("a") as out:
        out.write(json.dumps({"event": "progress"})[:9])
    assert store.events.after(ID, offset) == ([], offset)  # a line that is being written
    with store.events.path(ID).open("a") as out:
        out.write(json.dumps({"event": "progress"})[9:] + "\n")
    assert [event["event"] for event in store.events.after(ID, offset)[0]] == ["progress"]
