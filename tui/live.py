"""What is at work now: how far each recipe is, from its events."""

import time

from store import Store, browse
from store.rows import Row


class Live:
    """The recipe runs whose status is `running`; read in a thread."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.at_work: dict[str, Row] = {}
        """By recipe run: see `store.browse.progress`."""

    def follow(self, recipes: list[Row]) -> bool:
        """Look again. Returns whether anything is at work, or was before."""
        had = bool(self.at_work)
        ids = [row["recipe_run_id"] for row in recipes if row["status"] == "running"]
        self.at_work = {id_: browse.progress(self.store, id_) for id_ in ids}
        return had or bool(self.at_work)


def left(progress: Row) -> str:
    """How long it will still take, in words; empty if nobody knows."""
    seconds = progress.get("seconds_left")
    if not seconds:
        return ""
    minutes = seconds / 60
    if minutes < 1.5:
        return f"{seconds:.0f} s left"
    return f"{minutes:.0f} min left" if minutes < 90 else f"{minutes / 60:.1f} h left"


def work_words(live: Live, recipes: dict[str, Row]) -> str:
    """What is at work, in a few words."""
    some = [(recipes[id_], at) for id_, at in live.at_work.items() if id_ in recipes and not gone(at)]
    if not some:
        return ""
    recipe, at = some[0]
    more = f" +{len(some) - 1}" if len(some) > 1 else ""
    return ", ".join(filter(None, [f"{recipe['recipe']} {at['finished']}/{at['stages']}", left(at)])) + more


def gone(progress: Row) -> bool:
    """Whether the process that was at work is no more."""
    return bool(progress.get("holder") == "gone")


def silent(progress: Row) -> float:
    """Seconds since the last sign of it."""
    return time.time() - float(progress["time"])
