"""Parallel texts from files, in each form that there is."""

from pathlib import Path

import pytest

from store import LswError
from workbench.collections.bitexts import Dropped, Parallel, parallel, read_bitext, turned


def rows(*paths: Path, columns: tuple[int, int] = (0, 1)) -> tuple[list[tuple[int, str, str]], list[int]]:
    dropped = Dropped()
    return list(read_bitext(list(paths), columns, dropped)), dropped.uneven


def test_places_as_a_recipe_writes_them() -> None:
    assert parallel("texts.{source}-{target}.tsv", "ca", "fr") == Parallel(("texts.ca-fr.tsv",))
    assert parallel("tatoeba.tsv#4,2", "ca", "fr") == Parallel(("tatoeba.tsv",), (3, 1))
    assert parallel("{source}.txt | {target}.txt", "ca", "fr") == Parallel(("ca.txt", "fr.txt"))
    for origin in ("texts.tsv", "tatoeba.tsv#4,2", "a.txt|b.txt"):
        there, back = parallel(origin, "ca", "fr"), parallel(turned(origin), "fr", "ca")
        assert (back.files, back.columns) in (
            (there.files[::-1], there.columns), (there.files, there.columns[::-1]),
        )  # fmt: skip
        assert parallel(turned(turned(origin)), "ca", "fr") == there
    for wrong in ("texts.tsv#2,2", "a|b|c", "a|", "a|b#1,2"):
        with pytest.raises(LswError, match="is no bitext"):
            parallel(wrong, "ca", "fr")


def test_columns_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("1\tBon dia.\t7\tBonjour.\n\n2\tAdéu\t8\tAu revoir\n", "utf-8-sig")
    assert rows(path, columns=(3, 1))[0] == [(1, "Bonjour.", "Bon dia."), (3, "Au revoir", "Adéu")]
    with pytest.raises(LswError, match="4 columns; 6 expected"):
        rows(path, columns=(1, 5))


def test_two_files_line_by_line(tmp_path: Path) -> None:
    left, right = tmp_path / "ca.txt", tmp_path / "fr.txt"
    left.write_text("Bon dia.\n\nAdéu\n", "utf-8")
    right.write_text("Bonjour.\n\nAu revoir", "utf-8")
    assert rows(left, right)[0] == [(1, "Bon dia.", "Bonjour."), (3, "Adéu", "Au revoir")]
    right.write_text("Bonjour.\nAu revoir\n", "utf-8")
    with pytest.raises(LswError, match="have 3 and 2 lines"):
        rows(left, right)
    right.write_text("Bonjour.\nAu revoir\nNon\n", "utf-8")
    with pytest.raises(LswError, match="This line is empty") as fault:
        rows(left, right)
    assert fault.value.detail == f"{left}, line 2"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a\tb\nBon dia\n", 2, "No tab"),
        ("a\tb\n\nBon dia\t  \n", 3, "Column 2 of this line is empty"),
        ("\tbonjour\n", 1, "Column 1 of this line is empty"),
    ],
)
def test_lines_that_are_no_pair_of_texts(text: str, line: int, problem: str, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text(text, "utf-8")
    with pytest.raises(LswError, match=problem) as fault:
        rows(tmp_path / "t.tsv")
    assert fault.value.detail.endswith(f"t.tsv, line {line}")


def test_texts_that_are_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_bytes(b"a\tb\nBon dia\t\xff\n")
    with pytest.raises(LswError, match="Invalid UTF-8 at byte 8") as fault:
        rows(tmp_path / "t.tsv")
    assert "line 2" in fault.value.detail


def test_a_side_of_ten_times_the_length_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text(f"ab\t{'x' * 20}\nab\t{'x' * 21}\n{'x' * 300}\tb\n水\tthirty letters of English words\n", "utf-8")
    some, uneven = rows(path)
    assert [number for number, *_ in some] == [1] and uneven == [2, 3, 4]


def test_a_bitext_of_real_texts_is_read_whole(real: Path) -> None:
    for path in sorted((real / "bitext").glob("*.tsv")):
        some, uneven = rows(path)
        assert len(some) + len(uneven) == len(path.read_text("utf-8").splitlines()) > 500
        assert len(uneven) < 0.02 * len(some)
