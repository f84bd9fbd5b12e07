"""How values are written, and rows as files."""

import csv
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError, Store
from tui.sql.answer import Formed, form
from tui.sql.files import WRITERS, write, write_all


@given(st.lists(st.none() | st.floats(-1e8, 1e8), min_size=1))
def test_numbers_of_a_column_have_as_many_decimals_and_are_near(values: list[float | None]) -> None:
    how = form(pa.chunked_array([pa.array(values, pa.float64())]))
    said = [how.text(value) for value in values if value is not None]
    assert len({text.partition(".")[2].__len__() for text in said if "e" not in text}) <= 1
    for text, value in zip(said, (v for v in values if v is not None), strict=True):
        assert float(text) == pytest.approx(value, rel=0.06, abs=6e-5)
        assert value == 0 or float(text) != 0  # no small number is said to be none


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.5, 0.25], ["0.50", "0.25"]),
        ([1.0, 12.0], ["1.0", "12.0"]),
        ([1 / 3, 100.0], ["0.3333", "100.0000"]),
        ([0.00014, 0.01], ["0.00014", "0.01000"]),
        ([5e-6, 1e-5], ["5.00e-06", "1.00e-05"]),
        ([Decimal("1.50"), Decimal("2.25")], ["1.50", "2.25"]),
        ([1, 20], ["1", "20"]),
        ([True, False], ["true", "false"]),
    ],
)
def test_values_are_written(values: list[object], said: list[str]) -> None:
    column = pa.chunked_array([pa.array(values)])
    assert [form(column).text(value) for value in values] == said


def test_figures_stand_at_the_right_and_null_is_a_dash() -> None:
    shown = Formed(pa.table({"n": [1, None], "text": ["a", None]}))
    figure, word = shown.get_row_at(0)
    assert (figure.justify, word.justify) == ("right", "default")
    assert [cell.plain for cell in shown.get_row_at(1)] == ["-", "-"]
    assert (shown.value(0, 0), shown.value(1, 1)) == (1, None)


def test_rows_are_sorted_with_null_last() -> None:
    shown = Formed(pa.table({"n": [2, None, 10]}))
    assert shown.by(0, True)["n"].to_pylist() == [10, 2, None]
    assert shown.by(0, False)["n"].to_pylist() == [2, 10, None]


READ: dict[str, Callable[[Path], list[list[object]]]] = {
    ".csv": lambda path: [list(row) for row in csv.reader(path.open(encoding="utf-8", newline=""))][1:],
    ".json": lambda path: [list(record.values()) for record in json.loads(path.read_text("utf-8"))],
    ".parquet": lambda path: [list(row.values()) for row in pq.read_table(path).to_pylist()],
    ".md": lambda path: [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in path.read_text("utf-8").splitlines()[2:]
    ],
}
SQL = "SELECT range AS n, CASE WHEN range % 2 = 0 THEN '點, \"解' END AS t, [range] AS l FROM range({}) ORDER BY n"


@pytest.mark.parametrize("ending", WRITERS)
def test_files_have_every_row(store: Store, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rows{ending}"
    count = 60_000 if ending in (".csv", ".parquet") else 10  # more than one batch
    assert write_all(store, SQL.format(count), ending, path) == count
    rows = READ[ending](path)
    assert len(rows) == count
    as_text = ending in (".csv", ".md")
    assert rows[:2] == (
        [["0", '點, "解', "[0]"], ["1", "", "[1]"]] if as_text else [[0, '點, "解', [0]], [1, None, [1]]]
    )
    again = tmp_path / f"again{ending}"
    assert write(pa.table({"n": [1], "x": ["a"]}), ending, again) == 1
    assert len(READ[ending](again)) == 1


@pytest.mark.parametrize("ending", WRITERS)
def test_nothing_is_left_after_an_error(store: Store, tmp_path: Path, ending: str) -> None:
    late = "SELECT CASE WHEN range = 150000 THEN error('late') ELSE range END AS n FROM range(200000)"
    with pytest.raises(LswError):
        write_all(store, late, ending, tmp_path / f"rows{ending}")
    with pytest.raises(FileNotFoundError):
        write(pa.table({"n": [1]}), ending, tmp_path / "nowhere" / f"rows{ending}")
    assert list(tmp_path.glob("rows*")) == []


@pytest.mark.parametrize("ending", WRITERS)
def test_columns_of_one_name_are_told_apart(store: Store, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"twice{ending}"
    write_all(store, "SELECT 1 AS n, 2 AS n", ending, path)
    assert [str(v) for v in READ[ending](path)[0]] == ["1", "2"]
