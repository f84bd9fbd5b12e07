"""The command that makes a recorded run again."""

import json
import shlex
from typing import Any

from store import LswError
from store.artifacts import short
from store.rows import Row, RunRow, StageRow
from workbench.plans.alone import ALONE, IMPORT, RETRIEVE
from workbench.recipe.load import load, recipe_path, scale_path
from workbench.recipe.schema import USUAL
from workbench.translation import TRANSLATORS


def _toml(value: Any) -> str:
    """A JSON value as a recipe has it; what was not set is left out."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {_toml(v)}' for k, v in value.items() if v is not None)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _known(translation: dict[str, Any]) -> dict[str, Any]:
    """The settings that a translator has: in old stores stand those of all translators."""
    name = translation.get("translator", USUAL)
    if name not in TRANSLATORS.names():
        return translation
    return {key: value for key, value in translation.items() if key in TRANSLATORS.part(name).model_fields}


def differences(now: Any, then: Any, under: str = "") -> list[str]:
    """`section.key=value` for whatever was resolved otherwise then, as `workbench.recipe.load.override` reads it."""
    if now is None and under and "." not in under:  # a section that the recipe does not have
        now = {}
    if isinstance(now, dict) and isinstance(then, dict):
        return [
            text
            for name in then
            for text in differences(now.get(name), then[name], f"{under}.{name}" if under else name)
        ]
    if now == then or then is None:
        return []
    return [f"{under}={_toml(then)}"]


def command(run: RunRow, recipe_run: Row, stages: list[StageRow]) -> str:
    """The `lsw` command line behind a run.

    Of a recipe: its name, its scale, and each value that the recipe as it is now would give otherwise; of a study the
    whole grid, of which what is there is not run again. A file that
    was imported is not known by its path, only by its content.

    Args:
        run: row of the view `runs`.
        recipe_run: row of the view `recipe_runs`, with `resolved` as a dictionary; may be empty.
        stages: `store.query.lineage` of the run.
    """
    words = ["lsw"]
    first: Row = json.loads(stages[0]["parameters"]) if stages else {}
    passages = ["--document-variety", run["document_variety"]] if run["document_variety"] else []
    about = ["--system", run["system"], "--query-variety", run["query_variety"], *passages]
    resolved = recipe_run.get("resolved", {})
    if run["recipe"] == IMPORT:
        trained = ["--trained-on", run["trained_on"]] if run["trained_on"] else []
        words += ["import", "RUN.trec", *about, *trained, "--collection", run["collection"]]
        return f"{shlex.join(words)}   # RUN.trec: sha256 {short(first.get('sha256', '?'))}"
    if run["recipe"] == RETRIEVE:
        collection = resolved.get("collection", {})
        words += ["retrieve", collection.get("folder", "FOLDER"), *about, "--depth", str(run["depth"])]
        script = resolved.get("retrieval", {}).get("script", "as written")
        words += ["--script", script] if script != "as written" else []
        return shlex.join([*words, "--name", run["collection"], "--scale", str(run["scale"])])
    return going_on({"recipe": run["recipe"], "scale": run["scale"], "resolved": resolved})


def going_on(recipe_run: Row) -> str:
    """The `lsw` command line that goes on with a recipe run, or makes it again; what is done is not done again.

    Its name, its scale, and each value that the recipe as it is now would give otherwise; of a study the whole grid.
    Empty for a run that no recipe made: its record does not say all of its command line.

    Args:
        recipe_run: row of the view `recipe_runs`, with `resolved` as a dictionary, as `store.browse.resolved` gives it.
    """
    recipe, scale = str(recipe_run["recipe"]), str(recipe_run["scale"])
    resolved = recipe_run.get("resolved", {})
    if isinstance(study := resolved.get("study"), str):  # its grid and its analysis
        return shlex.join(["lsw", "study", "run", study, "--scale", scale])
    if recipe in ALONE:
        return ""
    words = ["lsw", "recipe", "run", recipe, "--scale", scale]
    try:
        now = load(recipe_path(recipe), scale_path(scale))
    except LswError:  # a file of the user's own, which may have moved
        return shlex.join(words)
    if now.study:  # of whose grid this is a cell
        return shlex.join(["lsw", "study", "run", recipe, "--scale", scale])
    today = now.model_dump(mode="json", by_alias=True)
    then = {name: value for name, value in resolved.items() if name not in ("collection", "systems", "title")}
    then["translation"] = _known(then.get("translation", {}))
    return shlex.join([*words, *differences(today, then)])
