"""Words and titles from files, and how words are looked up in running text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.lexicons import LEXICONS, named
from workbench.lexicons._lookup import Lookup, Written, coverage, key_of, turned, words
from workbench.lexicons.base import Entry, Lexicon, Material
from workbench.lexicons.file import WordFile
from workbench.lexicons.titles import Titles


def made(part: Lexicon, source: str, target: str) -> list[Entry]:
    places = {what: Path(at) for what, at in part.places(source, target).items()}
    return part.entries(Material(source, target, places))[0]


def test_a_file_of_words_is_read_in_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "words.tsv"
    path.write_text("Aigua\teau\tcldr\nestiu\tété\t3\nestiu\tÉtat\nestiu\tÉtat\n\nclau d’obertura\taccolade\n", "utf-8")
    part = WordFile(lexicon="file", files={"ca-fr": str(path)})
    assert made(part, "ca", "fr") == [
        ("aigua", "eau", 1.0), ("clau d obertura", "accolade", 1.0), ("estiu", "État", 2.0), ("estiu", "été", 3.0),
    ]  # fmt: skip
    assert ("eau", "Aigua", 1.0) in made(part, "fr", "ca")
    with pytest.raises(LswError, match="No file of fr words in oc is named") as fault:
        part.places("fr", "oc")
    assert "ca-fr" in fault.value.detail and '"fr-oc" = "FILE"' in fault.value.cure
    assert str(path) not in str(part.key())


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [("aigua eau\n", "line 1", "No tab"), ("a\tb\n\nestiu\t \n", "line 3", "is empty"), ("\n", "words.tsv", "has none"),
     ("?\tx\n", "words.tsv", "has none")],
)  # fmt: skip
def test_files_that_are_no_words(text: str, where: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "words.tsv").write_text(text, "utf-8")
    with pytest.raises(LswError, match=problem) as fault:
        made(WordFile(lexicon="file", files={"ca-fr": str(tmp_path / "words.tsv")}), "ca", "fr")
    assert where in fault.value.detail


def test_titles_lose_namespace_and_brackets_and_long_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "titles.tsv"
    path.write_text(
        "Catégorie:Sport\tCategoria:Esport\nMars (planète)\tMart (planeta)\nGuerre_de_Cent_Ans\tGuerra dels Cent Anys\n"
        "2001: l'Odyssée\t2001: una odissea\nTour Eiffel\tTorre Eiffel\n",
        "utf-8",
    )
    part = Titles(lexicon="titles", files={"fr-ca": str(path)})
    assert [entry[:2] for entry in made(part, "fr", "ca")] == [
        ("2001 l odyssée", "2001: una odissea"), ("mars", "mart"), ("sport", "esport"), ("tour eiffel", "torre eiffel"),
    ]  # fmt: skip


def test_a_lexicon_is_named_with_or_without_settings() -> None:
    assert named("bitext").least == 0.25
    assert named({"lexicon": "bitext", "least": 0.5}).least == 0.5
    with pytest.raises(ValueError, match="Unknown lexicon 'bitexts'"):
        named("bitexts")
    assert set(LEXICONS.names()) >= {"bitext", "documents", "embeddings", "file", "titles"}


def found(lookup: Lookup, text: str) -> list[str]:
    some, place, keys = words(text), 0, []
    while place < len(some):
        n, key = lookup.at(text, some, place)
        keys.append(key)
        place += n
    return keys


def test_the_longest_entry_is_found_within_word_bounds() -> None:
    entries = [("tour", "volta", 1.0), ("tour eiffel", "torre Eiffel", 1.0), ("eiffel", "E", 1.0), ("our", "x", 1.0)]
    text = "La Tour  Eiffel. Tour, Eiffel; tourne"
    assert found(Lookup(entries, 3), text) == ["", "tour eiffel", "tour", "eiffel", ""]
    assert found(Lookup(entries), text) == ["", "tour", "eiffel", "tour", "eiffel", ""]
    assert found(Lookup([("l eau", "l'aigua", 1.0)], 2), "de L’eau") == ["", "l eau"]


def test_han_text_is_cut_into_the_longest_entries() -> None:
    entries = [("我", "我", 1.0), ("我哋", "我们", 1.0), ("飲茶", "喝茶", 1.0), ("我哋飲", "x", 1.0)]
    assert found(Lookup(entries), "我哋飲茶，我A飲 茶") == ["我哋飲", "", "我", "", "", ""]
    assert coverage(Lookup(entries[:3]), ["我哋飲茶嗎"]) == pytest.approx(2 / 3)


@given(st.text(alphabet="aB 我哋, 'é-1", max_size=30))
def test_a_text_put_together_of_its_own_words_is_itself(text: str) -> None:
    written = Written(text)
    for word in words(text):
        written.put(word.start, word.end, None)
    assert written.whole() == text
    assert key_of(key_of(text)) == key_of(text)


def test_spaces_stand_between_words_that_were_han_characters() -> None:
    written = Written("我食飯")
    for place, new in enumerate(("I", None, "饭")):
        written.put(place, place + 1, new)
    assert written.whole() == "I 食饭"


def test_a_reversed_lexicon_is_seen() -> None:
    entries = [("aigua", "eau", 1.0), ("casa", "maison", 1.0)]
    assert turned(entries, ["l'eau de la maison"])
    assert not turned(entries, ["l'aigua de casa"])
    assert not turned(entries, [])
