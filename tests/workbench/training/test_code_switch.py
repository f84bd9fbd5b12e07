"""Code-switched triples: how many words are replaced, by what, and what is refused."""

import math
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.recipe.trainings import Variant
from workbench.training.needs import Given, LexiconOf
from workbench.training.steps.code_switch import CodeSwitch
from workbench.varieties import Pair

SCHEMA = [(name, pa.string()) for name in ("query", "positive", "negative", "query_variety", "document_variety")]


def triples(queries: list[str], passages: list[str] | None = None, spoken: str = "fr") -> pa.Table:
    passages = passages or ["un passage"] * len(queries)
    columns = [queries, passages, [f"{p} autre" for p in passages], [spoken] * len(queries), ["fr"] * len(queries)]
    return pa.table([pa.array(c, pa.string()) for c in columns], schema=pa.schema(SCHEMA))


def lexicon(pairs: dict[str, Any]) -> pa.Table:
    rows = [
        (s, t, w)
        for s, targets in pairs.items()
        for t, w in (targets if isinstance(targets, dict) else {targets: 1.0}).items()
    ]
    columns = list(zip(*rows, strict=True)) or [[], [], []]
    return pa.table(dict(zip(("source", "target", "score"), map(list, columns), strict=True)))


def switched(queries: list[str], pairs: dict[str, Any], **settings: Any) -> tuple[list[str], dict[str, float]]:
    step = CodeSwitch.model_validate({"step": "code-switch", "lexicon": "bitext", "query_to": ["ca"], **settings})
    given = Given({code: lexicon(pairs) for code in step.query_to})
    return step.done(triples(queries), given)["query"].to_pylist(), given.counts


def test_words_are_replaced_whole_and_keep_their_capitals() -> None:
    texts, counts = switched(
        ["La Maison maisonnette, l'EAU (eau)?"], {"maison": "casa", "eau": "aigua", "la": "la"}, probability=1.0
    )
    assert texts == ["La Casa maisonnette, l'Aigua (aigua)?"]
    assert counts["query_words"] == 6 and counts["query_switched"] == 4
    assert counts["query_switched_share"] == counts["query_coverage"] == round(4 / 6, 4)
    assert counts["query_changed_share"] == 0.5
    assert counts["query_lexicon"] == 3


@pytest.mark.parametrize("p", [0.25, 0.5, 0.75])
def test_the_share_of_words_is_the_probability_times_the_coverage(p: float) -> None:
    rng = random.Random(3)
    queries = [" ".join(f"w{rng.randrange(400)}" for _ in range(8)) for _ in range(800)]
    pairs = {f"w{i}": f"t{i}" for i in range(300)}  # three of four
    texts, counts = switched(queries, pairs, probability=p)
    words = [word for text in texts for word in text.split()]
    share = sum(word.startswith("t") for word in words) / len(words)
    deviation = math.sqrt(0.75 * p * (1 - 0.75 * p) / len(words))
    assert abs(share - 0.75 * p) < 5 * deviation
    assert counts["query_switched_share"] == pytest.approx(share, abs=1e-4)
    assert all(
        new in (old, old.replace("w", "t"))
        for a, b in zip(queries, texts, strict=True)
        for old, new in zip(a.split(), b.split(), strict=True)
    )


def test_a_text_is_switched_alike_wherever_it_stands_and_otherwise_with_another_seed() -> None:
    text = " ".join(f"mot{i}" for i in range(40))
    pairs = {f"mot{i}": f"paraula{i}" for i in range(40)}
    (first, second), _ = switched([text, text], pairs)
    assert first == second != text
    assert switched([text], pairs)[0] == [first]
    assert switched([text], pairs, seed=7)[0] != [first]


def test_a_word_of_several_translations_is_drawn_by_their_weights() -> None:
    queries = [f"mot {i}" for i in range(4_000)]
    texts, _ = switched(queries, {"mot": {"a": 3.0, "b": 1.0}}, probability=1.0)
    counts = Counter(text.split()[0] for text in texts)
    assert abs(counts["a"] / 4_000 - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 4_000)


def test_into_several_varieties_one_is_drawn_for_each_word_or_each_text() -> None:
    step = {"step": "code-switch", "lexicon": "bitext", "query_to": ["ca", "it"], "probability": 1.0}
    tables = {code: lexicon({f"m{i}": f"{code}{i}" for i in range(20)}) for code in ("ca", "it")}
    queries = [" ".join(f"m{j}" for j in random.Random(i).sample(range(20), 10)) for i in range(100)]
    of_words, of_texts = (
        CodeSwitch.model_validate(step | {"one_language": one})
        .done(triples(queries), Given(dict(tables)))["query"]
        .to_pylist()
        for one in (False, True)
    )
    languages = [{word[:2] for word in text.split()} for text in of_words]
    assert sum(len(some) == 2 for some in languages) > 90
    assert {frozenset(word[:2] for word in text.split()) for text in of_texts} == {frozenset(["ca"]), frozenset(["it"])}
    # A variety that does not have the word leaves it as it is.
    tables["it"] = lexicon({"other": "x"})
    texts = CodeSwitch.model_validate(step).done(triples(queries), Given(dict(tables)))["query"].to_pylist()
    kept = sum(word.startswith("m") for text in texts for word in text.split())
    assert 400 < kept < 600


def test_the_variety_of_the_texts_is_none_to_switch_into_and_told() -> None:
    told: list[str] = []
    step = CodeSwitch.model_validate(
        {"step": "code-switch", "lexicon": "bitext", "query_to": ["fr", "ca"], "probability": 1.0}
    )
    assert list(step.needs(Pair("fr", "fr"))) == ["ca"]
    step.done(triples(["chat"]), Given({"ca": lexicon({"chat": "gat"})}, note=told.append))
    assert told == ["fr is left out of query_to: these query texts are in it already"]


def test_passages_of_a_triple_are_switched_into_one_language() -> None:
    step = CodeSwitch.model_validate(
        {
            "step": "code-switch",
            "lexicon": "bitext",
            "passage_to": ["ca", "it"],
            "probability": 1.0,
            "one_language": True,
        }
    )
    passages = [" ".join(f"m{j}" for j in range(i % 7, i % 7 + 5)) for i in range(60)]
    tables = {code: lexicon({f"m{i}": f"{code}{i}" for i in range(20)} | {"autre": code}) for code in ("ca", "it")}
    before, given = triples([f"q{i}" for i in range(60)], passages), Given(tables)
    after = step.done(before, given)
    assert after["query"] == before["query"]
    assert after["query_variety"] == before["query_variety"] and after["document_variety"] == before["document_variety"]
    both = [
        {w[:2] for w in f"{p} {n}".split()}
        for p, n in zip(*(after[c].to_pylist() for c in ("positive", "negative")), strict=True)
    ]
    assert set(map(frozenset, both)) == {frozenset(["ca"]), frozenset(["it"])}
    assert given.counts["passage_switched_share"] == 1.0 and given.counts["passage_words"] == 60 * 11


def test_longer_entries_come_first_and_frequent_words_are_no_entries() -> None:
    pairs = {"guerre de cent": "guerra de cent", "de": "DE", "guerre": "guerra"}
    texts, _ = switched(["guerre de Cent de guerre"], pairs, probability=1.0, longest=3)
    assert texts == ["guerra de cent DE guerra"]
    queries = ["de la guerre de lune", "de terre"]
    texts, _ = switched(queries, pairs, probability=1.0, longest=3, common=1)
    assert texts == ["de la guerra de lune", "de terre"]


def test_han_texts_are_switched_by_the_longest_entry() -> None:
    step = CodeSwitch.model_validate(
        {"step": "code-switch", "lexicon": "bitext", "query_to": ["yue"], "probability": 1.0}
    )
    table = lexicon({"我们": "我哋", "我": "我", "吃": "食", "喝": "飲"})
    given = Given({"yue": table})
    done = step.done(triples(["我们吃苹果，喝茶"]), given)
    assert done["query"].to_pylist() == ["我哋食苹果，飲茶"]
    assert given.counts["query_words"] == 6 and given.counts["query_switched"] == 3


@pytest.mark.parametrize(
    ("p", "covered", "refused"), [(0.5, 0.04, True), (1.0, 0.04, True), (0.25, 0.04, True), (0.25, 0.2, False)]
)
def test_hardly_a_word_switched_is_refused(p: float, covered: float, refused: bool) -> None:
    queries = [" ".join(f"w{(i * 10 + j) % 1_000}" for j in range(10)) for i in range(400)]
    pairs = {f"w{i}": "x" for i in range(int(1_000 * covered))}
    if not refused:
        switched(queries, pairs, probability=p)
        return
    with pytest.raises(LswError, match="of the words of the query texts are switched") as fault:
        switched(queries, pairs, probability=p)
    assert f"covers {covered:.1%} of 4,000 words" in fault.value.detail


def test_queries_of_another_variety_stay_and_none_to_switch_is_refused() -> None:
    step = CodeSwitch.model_validate(
        {"step": "code-switch", "lexicon": "bitext", "query_to": ["ca"], "probability": 1.0}
    )
    table = pa.concat_tables([triples(["eau"]), triples(["eau"], spoken="oc")])
    given = Given({"ca": lexicon({"eau": "aigua"})})
    assert step.done(table, given)["query"].to_pylist() == ["aigua", "eau"]
    assert given.counts["query_of_another_variety"] == 1
    with pytest.raises(LswError, match="None of the 1 queries is in the passages' variety") as fault:
        step.done(triples(["eau"], spoken="oc"), given)
    assert "replay" in fault.value.cure


def test_a_reversed_lexicon_is_told() -> None:
    told: list[str] = []
    step = CodeSwitch.model_validate({"step": "code-switch", "lexicon": "bitext", "query_to": ["ca"]})
    with pytest.raises(LswError, match=r"Only 0\.0%"):
        step.done(triples(["eau maison"]), Given({"ca": lexicon({"aigua": "eau", "casa": "maison"})}, note=told.append))
    assert told == ["the lexicon for ca looks reversed: its translations cover the texts better"]


def test_it_needs_a_lexicon_for_each_variety() -> None:
    step = CodeSwitch.model_validate(
        {"step": "code-switch", "lexicon": "bitext", "query_to": ["ca", "fr"], "passage_to": ["it"]}
    )
    needs = step.needs(Pair("oc", "fr"))
    assert {role: (n.source, n.target) for role, n in needs.items() if isinstance(n, LexiconOf)} == {
        "ca": ("fr", "ca"),
        "it": ("fr", "it"),
    }
    with pytest.raises(ValueError, match="neither query_to nor passage_to"):
        CodeSwitch.model_validate({"step": "code-switch", "lexicon": "bitext"})
    with pytest.raises(ValueError, match="Unknown variety 'cx'"):
        Variant.model_validate(
            {"pair": "fr-fr", "steps": [{"step": "code-switch", "lexicon": "bitext", "query_to": ["cx"]}]}
        )


@given(st.text(max_size=60))
def test_any_text_can_be_switched(text: str) -> None:
    """What is no word stands where it stood, in its order."""
    [new, _], _ = switched([text, "eau " * 200], {"eau": "aigua", "a": "b"}, probability=1.0)

    def rest(some: str) -> str:
        return re.sub(r"[^\W_]", "", some)

    assert rest(new).replace(" ", "") == rest(text).replace(" ", "")


def test_files_are_no_part_of_the_key(tmp_path: Path) -> None:
    """What the lexicon holds is in the key of its own stage."""
    at = {"lexicon": "file", "files": {"fr-ca": str(tmp_path / "a.tsv")}}
    step = CodeSwitch.model_validate({"step": "code-switch", "lexicon": at, "query_to": ["ca"]})
    assert str(tmp_path) not in str(step.recorded())


BUDGET = {f"w{i}": f"ca{i}" for i in range(20)}
SPOKEN = [" ".join(f"w{i}" for i in range(n)) for n in range(1, 21)]  # w0 is in all, w19 in one


def test_a_budget_of_entries_takes_the_most_frequent_first() -> None:
    texts, counts = switched(SPOKEN, BUDGET, probability=1.0, entries=5)
    assert texts[-1].split() == [f"ca{i}" if i < 5 else f"w{i}" for i in range(20)]
    assert (counts["entries"], counts["entry_words"], counts["noisy"], counts["query_lexicon"]) == (5, 10, 0, 5)
    assert switched(SPOKEN, BUDGET, probability=1.0, words=11)[0] == texts  # each entry has two words
    wrong, counts = switched(SPOKEN, BUDGET, probability=1.0, entries=10, noise=0.3)
    new = dict(zip(BUDGET, wrong[-1].split(), strict=True))
    assert sum(new[word] != BUDGET[word] for word in list(BUDGET)[:10]) == 3 == counts["noisy"]
    assert set(new.values()) <= {*list(BUDGET.values())[:10], *list(BUDGET)[10:]}
    for asked, said in (({"entries": 21}, "There are 20 entries of the lexicon, and 21"), ({"words": 41}, "40 words")):
        with pytest.raises(LswError, match=said):
            switched(SPOKEN, BUDGET, **asked)


def test_texts_of_another_pair_beside_them_stay() -> None:
    """Their words are none of the lexicon's language, however they look."""
    table = lexicon({"maison": "casa"}).replace_schema_metadata({"source": "fr", "target": "ca"})
    others = (
        triples(["maison"])
        .set_column(3, "query_variety", pa.array(["it"]))
        .set_column(4, "document_variety", pa.array(["it"]))
    )
    step = CodeSwitch.model_validate(
        {"step": "code-switch", "lexicon": "bitext", "query_to": ["ca"], "probability": 1.0}
    )
    done = step.done(pa.concat_tables([triples(["maison"]), others]), Given({"ca": table}))
    assert done["query"].to_pylist() == ["casa", "maison"]
