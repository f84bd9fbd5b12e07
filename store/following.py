"""How far a recipe run is, who is at work on it, and how long it will take, as its events say."""

import time
from collections.abc import Mapping
from typing import Any

from store.events import Events, host
from store.rows import Row

ENDS = ("done", "failed", "interrupted")
_SURE = 0.05
"""Share of a stage from which on its own pace says how long it will take."""


class Following:
    """The events of one recipe run, read on from where the last look ended.

    Args:
        events: of a store.
        recipe_run_id: of the run.
    """

    def __init__(self, events: Events, recipe_run_id: str) -> None:
        self._events = events
        self._id = recipe_run_id
        self._offset = 0
        self._last = ""
        self._host = ""
        self._locked = False
        self._restart({})
        self._row: Row = {
            "stages": 0, "finished": 0, "label": "", "done": 0, "total": 0, "pid": 0, "time": 0.0,
        }  # fmt: skip

    def now(self) -> Row:
        """How far it is.

        Returns:
            stages, finished; label, done and total of the stage at work; the time (seconds since 1970) and process of
            the last sign of it; `holder`, one of
            - alive: somebody holds its lock;
            - gone: nobody does, and it did not end;
            - ended: it did: what the database says may be older;
            - elsewhere: it began on another machine, whose locks may not be seen here;
            - unknown: it has no lock (an older lsw began it, or the file system has none);
            seconds_left, from what such stages took in this store and take now: None if nothing is known; and
            unknown, the stages to come of which nobody knows how long they take, which are not in it.
        """
        held = self._events.is_held(self._id)  # first: the last event is written before it lets go
        events, self._offset = self._events.after(self._id, self._offset)
        for event in events:
            self._take(event)
        row = dict(self._row)
        if held:
            row["holder"] = "alive"
        elif self._last in ENDS:
            row["holder"] = "ended"
        elif held is None or not self._locked:
            row["holder"] = "unknown"
        else:
            row["holder"] = "gone" if self._host == host() else "elsewhere"
        row["seconds_left"], row["unknown"] = self._left(time.time())
        return row

    def _restart(self, event: Mapping[str, Any]) -> None:
        """A process began, or began again."""
        self._expected: list[float | None] = event.get("expected", [])
        self._alike: list[int] = event.get("alike", [])
        self._took: dict[int, list[float]] = {}
        self._at = 0
        self._began = 0.0

    def _take(self, event: Mapping[str, Any]) -> None:
        row, now = self._row, event.get("time", 0.0)
        self._last = event.get("event", "")
        row |= {"pid": event.get("pid", 0), "time": now}
        match self._last:
            case "started":
                row |= {"stages": event.get("stages", 0), "finished": 0, "label": "", "done": 0, "total": 0}
                self._host, self._locked = event.get("host", ""), event.get("locked", False)
                self._restart(event)
            case "stage" if event.get("status") == "running":
                row |= {"label": event.get("label", ""), "done": 0, "total": 0}
                self._at, self._began = event.get("position", 0), now
                row["finished"] = self._at - 1 if self._at else row["finished"]
            case "stage":
                # Those that a study has made already say nothing; the place of the next one does.
                row["finished"] = event.get("position", row["finished"] + 1)
                if event.get("status") == "done" and 0 < self._at <= len(self._alike):
                    self._took.setdefault(self._alike[self._at - 1], []).append(now - self._began)
                self._at, self._began = 0, 0.0
            case "progress":
                row |= {"done": event.get("done", 0), "total": event.get("total") or 0}

    def _left(self, now: float) -> tuple[float | None, int]:
        """Seconds of what is to come, as far as they are known, and of how many stages they are not."""
        row = self._row
        if self._last in ENDS:
            return 0.0, 0
        known = [self._expects(i) for i in range(row["finished"], len(self._expected))]
        if self._at and known:
            share = row["done"] / row["total"] if row["total"] else 0.0
            if share >= _SURE:
                pace = (row["time"] - self._began) * (1 - share) / share
                known[0] = max(0.0, pace - (now - row["time"]))
            elif known[0] is not None:
                known[0] = max(0.0, known[0] - (now - self._began))
        seconds = [each for each in known if each is not None]
        return (sum(seconds) if seconds else None), len(known) - len(seconds)

    def _expects(self, i: int) -> float | None:
        """What such stages took in this run, else in earlier ones; of one that is there, nothing.

        One alone says less than the earlier ones do: the first to load a model waits for more than itself.
        """
        earlier = self._expected[i]
        took = self._took.get(self._alike[i], []) if earlier != 0 and i < len(self._alike) else []
        return sum(took) / len(took) if len(took) > (earlier is not None) else earlier
