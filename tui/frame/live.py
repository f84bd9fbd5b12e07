"""What is at work now: how far each recipe is, and how to go on with one that was stopped."""

from store import Store, browse
from store.following import Following
from store.rows import Row


class Live:
    """The recipe runs whose status is `running`; read in a thread."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.at_work: dict[str, Row] = {}
        """By recipe run: see `store.following.Following.now`; of one that was stopped also the `command` to go on."""
        self._followed: dict[str, Following] = {}
        self._commands: dict[str, str] = {}

    @property
    def dead(self) -> set[str]:
        """Ids of those whose process is no more."""
        return {id_ for id_, row in self.at_work.items() if stopped(row)}

    def follow(self, recipes: list[Row]) -> bool:
        """Look again. Returns whether anything is at work, or was before."""
        had = bool(self.at_work)
        ids = [row["recipe_run_id"] for row in recipes if row["status"] == "running"]
        self._followed = {id_: self._followed.get(id_) or Following(self.store.events, id_) for id_ in ids}
        now = {id_: one.now() for id_, one in self._followed.items()}
        for id_, row in now.items():
            if stopped(row) and id_ not in self._commands:
                from workbench.plans.rerun import going_on

                self._commands[id_] = going_on(browse.resolved(self.store, id_))
            row["command"] = self._commands.get(id_, "")
        self.at_work = now
        return had or bool(now)


def stopped(progress: Row) -> bool:
    """Whether the process that was at work is no more, and did not come to the end."""
    return bool(progress["holder"] == "gone")


def left(progress: Row) -> str:
    """How long it will still take, in words: at least, where nobody knows of some stages; empty if nobody knows."""
    seconds = progress["seconds_left"]
    if not seconds:
        return ""
    minutes = seconds / 60
    text = f"{minutes / 60:.1f} h" if minutes >= 90 else f"{minutes:.0f} min" if minutes >= 1.5 else f"{seconds:.0f} s"
    return f"over {text} left" if progress["unknown"] else f"{text} left"


def work_words(live: Live, recipes: dict[str, Row]) -> str:
    """What is at work, in a few words."""
    some = [
        (recipes[id_], at) for id_, at in live.at_work.items()
        if id_ in recipes and at["stages"] and at["holder"] not in ("gone", "ended")
    ]  # fmt: skip
    if not some:
        return ""
    recipe, at = some[0]
    more = f" +{len(some) - 1}" if len(some) > 1 else ""
    return ", ".join(filter(None, [f"{recipe['recipe']} {at['finished']}/{at['stages']}", left(at)])) + more
