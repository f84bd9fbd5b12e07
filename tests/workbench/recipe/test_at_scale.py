"""What a recipe changes at a scale, lexicons by name, and files from the web."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from store import LswError
from workbench.collections.files import content, located, to_download
from workbench.recipe.load import load, scale_path
from workbench.systems.word_by_word import WordByWord
from workbench.training.steps.code_switch import CodeSwitch

RECIPE = """
title = "One"
[fine-tuning]
systems = ["bge-m3"]
[training.switched]
pair = "fr-fr"
steps = [{ step = "code-switch", query_to = ["ca"], lexicon = "mine" }]
[systems.translate]
architecture = "word-by-word"
lexicon = "mine"
[lexicons.mine]
lexicon = "bitext"
least = 0.5
[retrieval]
pairs = ["ca-fr"]
systems = ["bge-m3"]
[[fidelity]]
what = "ours"
published = "theirs"
[[at]]
scales = ["small", "paper"]
retrieval.pairs = ["oc-fr"]
lexicons.mine.least = 0.75
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "one.toml"
    path.write_text(RECIPE, "utf-8")
    return path


def test_a_recipe_differs_at_the_scales_it_says(recipe: Path) -> None:
    mini, paper = (load(recipe, scale_path(name)) for name in ("mini", "paper"))
    assert mini.retrieval and paper.retrieval
    assert (mini.retrieval.pairs, paper.retrieval.pairs) == (["ca-fr"], ["oc-fr"])
    assert [row.what for row in mini.fidelity] == ["ours"]
    assert paper.fidelity[0].what == "ours" and len(paper.fidelity) > 10


def test_a_lexicon_is_meant_wherever_it_is_named(recipe: Path) -> None:
    for scale, least in (("mini", 0.5), ("small", 0.75)):
        loaded = load(recipe, scale_path(scale))
        [step] = loaded.training["switched"].steps
        system = loaded.system("translate")
        assert isinstance(step, CodeSwitch) and isinstance(system, WordByWord)
        assert step.lexicon == system.lexicon == loaded.lexicons["mine"]
        assert step.lexicon.least == least  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["small", "paper"]', '["smal"]', "unknown scale 'smal'"),
        ('scales = ["small", "paper"]\n', "", "a list of scales is missing"),
        ("[[at]]\nscales", "[at]\nscales", "should be a list of sections"),
        ('lexicon = "bitext"', 'lexicon = "bitexts"', "Unknown lexicon 'bitexts'"),
        ("least = 0.5", "leest = 0.5", "Unknown key 'leest'"),
        ('lexicon = "mine" }', 'lexicon = "mien" }', "Unknown lexicon 'mien'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, told: str, recipe: Path) -> None:
    assert old in RECIPE
    recipe.write_text(RECIPE.replace(old, new, 1), "utf-8")
    with pytest.raises(LswError) as fault:
        load(recipe, scale_path("mini"))
    assert told in fault.value.title
    assert "one.toml" in fault.value.detail


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("LSW_DOWNLOADS", str(tmp_path / "kept"))
    (tmp_path / "served").mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "served")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_of_the_web_is_downloaded_once(web: str, tmp_path: Path) -> None:
    (tmp_path / "served" / "wiki.vec").write_text("1 1\neau 1\n", "utf-8")
    at = f"{web}/wiki.vec"
    assert content(at, "x") == {"origin": at} and to_download(at)
    path = located(at)
    assert path.read_text("utf-8") == "1 1\neau 1\n" and path.name.endswith("wiki.vec")
    (tmp_path / "served" / "wiki.vec").unlink()
    assert located(at) == path and not to_download(at)
    with pytest.raises(LswError, match="could not be downloaded") as fault:
        located(f"{web}/none.vec")
    assert "404" in fault.value.detail and str(tmp_path / "kept") in fault.value.cure
    assert [p.name for p in (tmp_path / "kept").iterdir()] == [path.name]
