"""The recipe language: what comes with lsw is sound, what is wrong is said with its line."""

import re
from pathlib import Path
from typing import Any

import pytest

from store import LswError
from tests.conftest import Lsw
from workbench.graph import Plan, stage_key
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load, merged, names, override, recipe_path, scale_path, scales
from workbench.stages.compare import Compare
from workbench.training.tuning import Tuning


def plan(name: str, *overrides: str) -> Plan:
    scale = scale_path("mini")
    return compile_recipe(load(recipe_path(name), scale, list(overrides)), name, "mini", scale.parent)


@pytest.mark.parametrize("name", names())
def test_recipes_compile_and_are_short(name: str) -> None:
    assert plan(name).stages
    # Then: the grid of a study, what is otherwise at a scale, and why.
    method, *_ = re.split(r"\n\[study|\n\[\[", recipe_path(name).read_text("utf-8"))
    assert len(method.splitlines()) <= 55


@pytest.mark.parametrize("scale", scales())
def test_scales_resolve(scale: str) -> None:
    loaded = load(recipe_path("zero_shot_yue_zh"), scale_path(scale))
    assert loaded.fine_tuning is not None
    tuned = {s: loaded.tuning("ca-fr", s) for s in loaded.trained("ca-fr")}
    assert set(tuned) == {"bge-m3", "colbert-xm", "mt5"}
    # A rate that moves float32 weights: the published 5e-12 of mT5 is an erratum.
    assert all(t.epochs > 0 and t.learning_rate >= 1e-6 for t in tuned.values())


def test_the_paper_scale_has_the_published_values() -> None:
    loaded = load(recipe_path("zero_shot_yue_zh"), scale_path("paper"))
    assert loaded.fine_tuning is not None
    bge, colbert = loaded.tuning("ca-fr", "bge-m3"), loaded.tuning("ca-fr", "colbert-xm")
    assert (bge.learning_rate, bge.epochs, bge.batch_size, bge.temperature) == (1e-5, 1, 8, 0.02)
    assert (colbert.learning_rate, colbert.batch_size, colbert.frozen) == (5e-6, 128, ["embeddings", "adapters"])


@pytest.mark.parametrize(
    ("change", "title", "cure"),
    [
        ("retrieval.depht=3", "Unknown key 'depht' in [retrieval]", "'depth'"),
        ('retrieval.systems=["bm26"]', "Unknown system 'bm26'", "'bm25'"),
        ('retrieval.systems=["mt5"]', "'mt5' reranks only", "retriever >> a reranker"),
        ('retrieval.systems=["bm25 >> bge-m3"]', "'bge-m3' does not rerank", ""),
        ('retrieval.systems=["rrf(bm25, mt5)"]', "'mt5' reranks only", ""),
        ('retrieval.systems=["bm25 >> rrf(mt5, bge-m3)"]', "'rrf(mt5, bge-m3)' does not rerank", "Fuse what was"),
        ('retrieval.systems=["rff(bm25, bge-m3)"]', "the unknown fusion 'rff', at character 1", "'rrf'"),
        ('retrieval.systems=["rrf(bm25, bge-m4)"]', "Unknown system 'bge-m4'", "'bge-m3'"),
        ("systems.bm25={architecture='bm25',terms='4-gram'}", "Unknown terms '4-gram'", "'4-grams'"),
        ('retrieval.pairs=["yue-zj"]', "Unknown variety 'zj'", "'zh'"),
        ('retrieval.pairs=["yue"]', "'yue' is not a pair", "yue-zh"),
        ('measures.names=["nDGC@10"]', "Unknown measure 'nDGC@10'", "'nDCG@10'"),
        ("fine-tuning.bge-m3.epoch=2", "Unknown key 'epoch' in [fine-tuning.bge-m3]", "'epochs'"),
        ("fine-tuning.bge-m4.epochs=2", "Unknown key 'bge-m4' in [fine-tuning]", "'bge-m3'"),
        ('fine-tuning.systems=["bm25"]', "no weights to fine-tune", ""),
        ("retrieval.pairs=[]", "retrieval.pairs is empty", "Name one"),
        ("fine-tuning.bge-m3=3", "must be a section [fine-tuning.bge-m3]", ""),
        ("training.x.pair=ca", "'ca' is not a pair", "yue-zh"),
        ("training.x={pair='ca-fr',bge-m4={epochs=2.0}}", "Unknown key 'bge-m4' in [training.x]", "'bge-m3'"),
        ("training.x={pair='ca-fr',bge-m3={epoch=2}}", "Unknown key 'epoch' in [training.x.bge-m3]", "'epochs'"),
        ("training.x={pair='ca-fr',bge-m3=3}", "must be a section [training.x.bge-m3]", ""),
        ("training.x={pair='ca-fr',systems=['bm25']}", "no weights to fine-tune", "training.x.systems"),
        ("training.x={pair='ca-fr',objective='colbret'}", "Unknown objective 'colbret'", "'colbert'"),
        ("training.x={pair='ca-fr',objective='yes-no'}", "cannot train a bi-encoder system", "mt5"),
        ("training.x={pair='ca-fr',steps=[{step='replai'}]}", "Unknown training step 'replai'", "'replay'"),
        ("training.x={pair='ca-fr',steps=[{step='replay',share=0.0}]}", "input should be greater than 0", ""),
        ("fine-tuning.controls=['low-only']", "fine-tuning.controls.0: input should be 'high-only' or 'mixed'", ""),
        ("retrieval.depth=ten", "retrieval.depth: input should be a valid integer", ""),
        ("comparison.test=student", "Unknown test 'student'", "Known: randomisation, t, "),
        ("comparison.test=tukey", "The test 'tukey' compares every pair of runs", "Known: randomisation, t, wilcoxon."),
        ("retreival.depth=3", "Unknown section 'retreival'", "'retrieval'"),
        ("depth", "'depth' is not an override", "section.key=value"),
        ("fine-tuning.bge-m3.negatives=mind", "fine-tuning.bge-m3.negatives: Unknown source of", "'mined'"),
        ("systems.new=bm25", "systems.new must be a section [systems.new]", ""),
        ("systems.new.checkpoint=x", "'systems.new.architecture' is missing", "bi-encoder"),
        ("translation.translator=gogle", "Unknown translator 'gogle'", "'google'"),
        ("translation.rate=1.0", "Unknown key 'rate' in [translation]", "Known: translator."),
        ("audit.measure=nDGC@10", "Unknown measure 'nDGC@10'", "'nDCG@10'"),
        ("retrieval.ask=[]", "retrieval.ask is empty", "Name one"),
        ("measures.names=[]", "measures.names is empty", "Name one"),
        ('measures.names=["P@0"]', "Unknown measure 'P@0'", "'P@10'"),
        ("retrieval.depth=1_000_001", "retrieval.depth: input should be less than or equal to 1000000", ""),
        ("negatives.depth=1_000_001", "negatives.depth: input should be less", ""),
        ("retrieval.depth=4294967296", "retrieval.depth: a whole number of more than 32 bits", ""),
        ("retrieval.depth=" + "9" * 6_000, "retrieval.depth: Exceeds the limit", ""),
        ("retrieval.depth=" + "[" * 6_000, "retrieval.depth: it is nested too deep", ""),
        ("comparison.seed=-1", "comparison.seed: input should be a seed from 0 to 4294967295", ""),
        ("fine-tuning.bge-m3.seed=-1", "fine-tuning.bge-m3.seed: input should be a seed", ""),
        ("comparison.resamples=1_000_000_000", "comparison.resamples: input should be less", ""),
        ("fine-tuning.bge-m3.epochs=inf", "fine-tuning.bge-m3.epochs: inf is not a finite number", ""),
        ("systems.bm25={architecture='bm25',k1=nan}", "systems.bm25: nan is not a finite number", ""),
        ('collection.folder="a\\u0000b"', "collection.folder: the text has a NUL", ""),
        ("collection.folder=\ud800", "collection.folder: the text has a NUL or half a character", ""),
        ("systems.new.architecture=reranker", "Unknown architecture 'reranker'", "mt5"),
        ("retrieval.pairs=['yue-zh-']", "Unknown variety 'zh-'", "zh"),
        ("pre-training={}", "'pre-training={}' is not an override", ""),
        ("retrieval.script=traditional", "Unknown script option 'traditional'", "simplified"),
    ],
)
def test_bad_values_are_refused_with_the_nearest_name(change: str, title: str, cure: str) -> None:
    with pytest.raises(LswError) as caught:
        load(recipe_path("zero_shot_yue_zh"), scale_path("mini"), [change])
    assert title in caught.value.title
    assert cure in caught.value.cure
    assert caught.value.exit_code == 2
    assert change.split("=")[0] in str(caught.value) or "is missing" in title


@pytest.mark.parametrize(
    "changes",
    [
        ["collection.folder=~nobody-of-this-name/c"],
        ["systems.bge-m3.checkpoint=~nobody-of-this-name/m"],
        ["translation.translator=file", "translation.file=~nobody-of-this-name/t.tsv"],
        ["translation.translator=seq2seq", "translation.checkpoint=~nobody-of-this-name/m"],
        ["negatives.source=published", "negatives.published.ca-fr=~nobody-of-this-name/t.jsonl"],
    ],
)
def test_the_home_of_nobody_is_not_there(changes: list[str]) -> None:
    with pytest.raises(LswError) as caught:
        plan("zero_shot_yue_zh", *changes)
    assert "~nobody-of-this-name" in str(caught.value)


def test_a_service_is_asked_in_bounds() -> None:
    for setting in ("timeout=inf", "timeout=1e300", "rate=1e-300", "retries=1024"):
        with pytest.raises(LswError, match=rf"translation\.{setting.split('=')[0]}"):
            changes = ["translation.translator=google", f"translation.{setting}"]
            load(recipe_path("zero_shot_yue_zh"), scale_path("mini"), changes)


RECIPE = 'title = "x"\n[retrieval]\npairs = ["yue-zh"]\nsystems = ["bm25"]\n'


@pytest.mark.parametrize(
    ("more", "title", "line"),
    [
        ("depth = 99999999999", "retrieval.depth: a whole number of more than 32 bits", 5),
        ('script = "\\u0000"', "retrieval.script: the text has a NUL", 5),
        ("depth = " + "9" * 6_000, "not valid TOML", None),
        ("depth = " + "[" * 6_000, "not valid TOML", None),
        (".".join("a" * 6_000) + " = 1", "retrieval.a.a: it is nested too deep", None),
        ('[pre-training]\nvarieties = ["fr"]\nsystems = ["bge-m3"]', "[pre-training] needs a vocabulary", None),
        ("# " + "x" * (1 << 24), "has more than 16 MB", None),
    ],
)
def test_what_toml_allows_and_no_recipe_may_say_is_refused(
    tmp_path: Path, more: str, title: str, line: int | None
) -> None:
    path = tmp_path / "r.toml"
    path.write_text(RECIPE + more, "utf-8")
    with pytest.raises(LswError) as caught:
        load(path, scale_path("mini"))
    assert title in caught.value.title
    assert str(path) in str(caught.value)
    if line:
        assert caught.value.detail == f"{path}, line {line}"


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("\ufeff" + RECIPE, "utf-8")
    assert load(path, scale_path("mini")).title == "x"


def test_a_fault_in_a_file_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('title = "x"\n\n[retrieval]\npairs = ["yue-zh"]\nsystems = ["bm25"]\ndeep = 3\n', "utf-8")
    with pytest.raises(LswError) as caught:
        load(path, scale_path("mini"))
    assert caught.value.detail == f"{path}, line 6"
    path.write_text('title = "x"\n\n[retrieval]\npairs = ["yue-zh"]\nsystems = ["bm52"]\n', "utf-8")
    with pytest.raises(LswError) as caught:
        load(path, scale_path("mini"))
    assert caught.value.detail == f"{path}, line 5"
    path.write_text('title = "x"\n\n[translation]\n# whose\ntranslator = "gogle"\n', "utf-8")
    with pytest.raises(LswError) as caught:
        load(path, scale_path("mini"))
    assert caught.value.detail == f"{path}, line 5"
    path.write_text("", "utf-8")
    with pytest.raises(LswError, match="'title' is missing") as caught:
        load(path, scale_path("mini"))
    assert caught.value.detail == str(path)
    path.write_text('title = "x"\nq = [\n', "utf-8")
    with pytest.raises(LswError, match="not valid TOML"):
        load(path, scale_path("mini"))


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(LswError) as caught:
        recipe_path("zero_shot_yue_hz")
    assert "'zero_shot_yue_zh'" in caught.value.cure
    with pytest.raises(LswError, match="Unknown scale 'minni'"):
        scale_path("minni")


def test_overrides_and_merging() -> None:
    assert override("a.b.c=5e-6") == {"a": {"b": {"c": 5e-6}}}
    assert override("a.b=af") == {"a": {"b": "af"}}
    assert override('a.b=["af", "no"]') == {"a": {"b": ["af", "no"]}}
    assert merged({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}) == {"a": {"x": 1, "y": 3}}


def test_keys_depend_on_what_they_should() -> None:
    key = stage_key("index", 1, {"b": 1, "a": "é"}, {"passages": "k"})
    assert key == stage_key("index", 1, {"a": "é", "b": 1}, {"passages": "k"})
    assert key != stage_key("index", 2, {"b": 1, "a": "é"}, {"passages": "k"})
    assert key != stage_key("index", 1, {"b": 1, "a": "é"}, {"passages": "other"})


def test_recipes_share_what_is_equal() -> None:
    """Fine-tuning on ca-fr is one stage, whichever pair is tested and however Chinese is written."""
    tuned = [
        {s.key for s in plan(name).stages if s.kind == "finetune"}
        for name in ("zero_shot_yue_zh", "pair_ca_fr", "zero_shot_ms_id", "zero_shot_oc_fr")
    ]
    assert len(tuned[0]) == 9  # three systems, with two controls each
    assert all(t == tuned[0] for t in tuned)


def test_an_override_changes_only_what_hangs_on_it() -> None:
    before, after = plan("zero_shot_yue_zh"), plan("zero_shot_yue_zh", "fine-tuning.bge-m3.epochs=3")
    kept = {s.key for s in before.stages} & {s.key for s in after.stages}
    changed = [s for s in after.stages if s.key not in kept]
    assert changed
    assert all("bge-m3" in s.label or s.kind == "compare" for s in changed)
    assert not any("mt5" in s.label or "colbert" in s.label or "bm25" in s.label for s in changed)


def test_checkpointing_is_no_part_of_a_key() -> None:
    keys = [[s.key for s in plan("pair_ca_fr", f"fine-tuning.bge-m3.checkpoint_steps={n}").stages] for n in (10, 20)]
    assert keys[0] == keys[1]


def test_the_translator_is_the_collection_unless_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('title = "x"\n[translation]\n[retrieval]\npairs = ["ca-fr"]\nsystems = ["bm25"]\n', "utf-8")
    assert load(path, scale_path("mini")).translation.parallel


def test_a_key_of_translation_is_one_of_its_translators() -> None:
    with pytest.raises(LswError, match="Unknown key 'rat'") as caught:
        load(
            recipe_path("zero_shot_yue_zh"), scale_path("mini"), ["translation.translator=google", "translation.rat=1"]
        )
    assert "'rate'" in caught.value.cure


def test_the_way_back_has_the_settings_of_the_way_there_if_it_is_the_same_translator() -> None:
    settings = ["translation.translator=google", "translation.rate=0.2"]

    def back(name: str) -> Any:
        recipe = load(recipe_path("zero_shot_yue_zh"), scale_path("mini"), [*settings, f"audit.back={name}"])
        assert recipe.audit
        return recipe.audit.back

    assert back("google").rate == 0.2
    assert back("mymemory").rate == 2.0


@pytest.mark.parametrize("scale", scales())
def test_every_recipe_compiles_at_every_scale(scale: str) -> None:
    """With nothing downloaded, and no query of one variety in place of another's."""
    for name in names():
        if name == "mini_models" and scale != "mini":
            continue
        path = scale_path(scale)
        compiled = compile_recipe(load(recipe_path(name), path), name, scale, path.parent, fetch=False)
        assert compiled.stages
        named = {run.run_id: run for s in compiled.stages if isinstance(s.work, Compare) for run in s.work.runs}
        assert set(named) == {run.run_id for run in compiled.runs}
        for run in compiled.runs:
            query, document = named[run.run_id].query_variety, named[run.run_id].document_variety
            asked = run.inputs["queries"]
            if asked.kind == "rewrite":
                assert (asked.parameters["query_variety"], asked.parameters["document_variety"]) == (query, document)
                asked = asked.inputs["source"]
            assert asked.parameters["variety"] == query
            assert run.parameters["document_variety"] == document
            assert run.parameters["query_variety"] == query


@pytest.mark.parametrize("name", names())
def test_what_is_told_of_the_publication_is_of_settings_that_are_there(name: str, lsw: Lsw) -> None:
    """Each row's settings have a value or a usual one; "changed" is never said of a recipe as it is shipped."""
    recipe = load(recipe_path(name), scale_path("paper"))
    whole = recipe.model_dump(mode="json", by_alias=True, exclude_none=True)
    sections = {"fine-tuning": Tuning, "computing": type(recipe.computing), "comparison": type(recipe.comparison)}
    for row in recipe.fidelity:
        for path in row.setting:
            first, *_, last = path.split(".")
            if first == "fine-tuning" and not recipe.fine_tuning:
                continue
            known = last in sections[first].model_fields if first in sections else True
            assert known or path == "fine-tuning.pair", path
            if first == "systems":
                assert last in type(recipe.systems[path.split(".")[1]]).model_fields, path
    shown = lsw("recipe", "show", name, "--scale", "paper").stderr
    assert "changed" not in shown
    assert ("more rows are of what this recipe does not do" in shown) == ("fine-tuning" not in whole)
    start = whole.get("fine-tuning", {}).get("colbert-xm", {}).get("start")
    assert ("start = facebook/xmod-base" in " ".join(shown.split())) == (start == "facebook/xmod-base")
