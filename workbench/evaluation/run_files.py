"""TREC runs, read in one pass and bounded memory: six columns, separated by tabs or spaces."""

import codecs
import io
import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from store import LswError
from workbench.evaluation.ties import ranked, single

BLOCK = 1 << 23
"""Bytes of text read at a time."""
LONGEST = 1 << 20
"""Bytes of a line that Arrow takes for certain: far more than six columns are."""
GROUP = 122_880
"""Rows of a Parquet row group: DuckDB's own, so that a file becomes a table without being cut anew."""

_CONTROLS = bytes([*range(9), *range(14, 32), 127])
"""What no text file holds."""
_COLUMNS = ["qid", "Q0", "docno", "rank", "score", "tag"]
_COMPRESSION = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


@contextmanager
def opened(path: Path) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """The bytes of a file, unpacked if its name ends in .gz, .zst or .bz2, and how far into it one has read."""
    with pa.OSFile(str(path)) as file:
        packed = _COMPRESSION.get(path.suffix)
        yield (pa.CompressedInputStream(file, packed) if packed else file), file.tell


def read_run(path: Path) -> Iterator[tuple[pa.Table, int]]:
    """Read qid, Q0, docno, rank, score, tag; the rank is ignored, as trec_eval does. Empty lines are skipped.

    So is a byte order mark.

    Yields:
        tables with columns qid, docno (strings), score (double), in file order, cut anywhere; and how many bytes of
        the file (packed ones, if it is packed) were read so far.

    Raises:
        LswError: the first line that has not six columns, or whose score is no finite number, or that is not UTF-8,
            too long or no text; a file that cannot be unpacked; an empty run.
    """
    lines = 0
    rest = b""
    some = False
    with opened(path) as (file, position):
        while True:
            try:
                more = file.read(BLOCK)
            except (OSError, EOFError) as error:
                raise LswError(f"{path} cannot be unpacked.", str(error), "It may be cut short.") from None
            block = (rest + more).removeprefix(b"" if lines or some else codecs.BOM_UTF8)
            cut = block.rfind(b"\n") + 1 if more else len(block)
            block, rest = block[:cut], block[cut:]
            if block.strip():
                some = True
                yield _parsed(block, path, lines), position()
            lines += block.count(b"\n")
            if len(rest) > LONGEST:
                raise _too_long(f"{path}, line {lines + 1}")
            if not more:
                break
    if not some:
        raise LswError("The run is empty.", str(path))


def _parsed(block: bytes, path: Path, before: int) -> pa.Table:
    """The rows of whole lines; `before` lines came before them."""
    first = block[: block.find(b"\n")]
    tabs = b"\t" in first
    # One kind of separator throughout is the usual case, and Arrow reads it as it stands.
    mixed = (b" " if tabs else b"\t") in block
    plain = len(block.translate(None, _CONTROLS)) == len(block)
    table = None if mixed or not plain else _table(block, "\t" if tabs else " ")
    if table is None and plain:
        tidy = b"\n".join(b" ".join(line.split()) for line in block.split(b"\n"))
        table = _table(tidy, " ")
    if table is None:
        _blame(block, path, before)
        raise LswError(f"{path} cannot be read as a run.", cure="Columns: qid Q0 docno rank score tag.")
    return table


def _table(block: bytes, separator: str) -> pa.Table | None:
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            read_options=pyarrow.csv.ReadOptions(column_names=_COLUMNS),
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, quote_char=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={"qid": pa.string(), "docno": pa.string(), "score": pa.float64()},
                include_columns=["qid", "docno", "score"],
                strings_can_be_null=False,
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:
        return None
    # Two separators in a row read as an empty column: the caller tidies and tries again.
    empty = any(pc.min(pc.binary_length(table[c])).as_py() == 0 for c in ("qid", "docno"))
    finite = pc.all(pc.is_finite(table["score"])).as_py()
    return None if empty or not finite else table


def _blame(block: bytes, path: Path, before: int) -> None:
    """Raise for the first bad line of a block."""
    for number, raw in enumerate(block.split(b"\n"), before + 1):
        where = f"{path}, line {number}"
        columns = raw.split()
        if not columns:
            continue
        if len(raw) > LONGEST:
            raise _too_long(where)
        if len(raw.translate(None, _CONTROLS)) < len(raw):
            raise LswError("A control character.", where, "A run is text: qid Q0 docno rank score tag.")
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            raise LswError("Invalid UTF-8.", where, "Save the file as UTF-8.") from None
        if len(columns) != 6:
            raise LswError(f"{len(columns)} columns; 6 expected.", where, "Columns: qid Q0 docno rank score tag.")
        try:
            score = float(columns[4]) if b"_" not in columns[4] else math.nan
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            raise LswError(f"Score '{columns[4][:80].decode(errors='replace')}' is not a finite number.", where)


def _too_long(where: str) -> LswError:
    return LswError(f"A line of more than {LONGEST >> 20} MB.", where, "Is this a run? Columns: " + " ".join(_COLUMNS))


class Twice(LswError):
    """A docno is ranked twice for one query."""

    def __init__(self, qid: str, docno: str) -> None:
        super().__init__(f"'{docno}' is ranked twice for query '{qid}'.")
        self.qid, self.docno = qid, docno

    def found(self, path: Path) -> LswError:
        """The same, with the line of the second one."""
        seen = False
        with opened(path) as (file, _):
            for number, raw in enumerate(io.BufferedReader(cast(io.RawIOBase, file)), 1):
                columns = raw.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").split()
                if columns and (columns[0], columns[2]) == (self.qid.encode(), self.docno.encode()):
                    if seen:
                        return LswError(self.title, f"{path}, line {number}", "Keep one of the two lines.")
                    seen = True
        return self


class RunWriter:
    """Writes a run's ranking as Parquet, in trec_eval's order, from tables in any order.

    Queries that each lie together are ordered as they come; if they lie scattered, all is ordered at the end, on disk.
    """

    def __init__(self, file: Path, run_id: str) -> None:
        import duckdb

        self.file = file
        self.run_id = run_id
        self.rows = 0
        self.depth = 0
        self.queries: set[str] = set()
        self._scattered = False
        self._held: pa.Table | None = None  # the query that may go on in the next table
        self._waiting: list[pa.Table] = []  # too few rows for a row group
        self._writer: Any = None
        self._con = duckdb.connect()
        self._thread = ThreadPoolExecutor(1)
        self._pending: deque[Future[None]] = deque()

    def add(self, table: pa.Table) -> None:
        """Take rows with columns qid, docno, score.

        Raises:
            Twice: a docno comes twice for one query.
        """
        table = pa.table({"qid": table["qid"], "docno": table["docno"], "score": single(table["score"].to_numpy())})
        if self._held is not None:
            table = pa.concat_tables([self._held, table])
        table = table.combine_chunks()
        ends = pc.run_end_encode(table["qid"].chunk(0)).run_ends
        cut = ends[-2].as_py() if len(ends) > 1 else 0
        self._held = table.slice(cut)
        if cut:
            self._take(table.slice(0, cut))

    def close(self) -> None:
        """Write what is left.

        Raises:
            Twice: as `add`.
        """
        if self._held is not None:
            self._take(self._held)
        self._write([], last=True)
        for task in self._pending:
            task.result()
        self._writer.close()
        if self._scattered:
            self._order()
        self._con.close()

    def _take(self, table: pa.Table) -> None:
        encoded = pc.run_end_encode(table["qid"].combine_chunks())
        names = encoded.values.to_pylist()
        sizes = np.diff(encoded.run_ends.to_numpy(), prepend=0)
        self._scattered |= len(set(names)) < len(names) or not self.queries.isdisjoint(names)
        self.queries.update(names)
        self.rows += len(table)
        self.depth = max(self.depth, int(sizes.max()))
        starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        rank = (np.arange(len(table)) - starts).astype(np.int32)
        if not self._scattered:
            self._in_turn(self._refuse_twice, table, sizes)
            table = _in_order(table, rank)
        self._write([pa.table([table["qid"], table["docno"], rank, table["score"]], ["qid", "docno", "rank", "score"])])

    def _refuse_twice(self, table: pa.Table, sizes: NDArray[np.int64]) -> None:
        hashes = self._con.from_arrow(table).project("hash(qid, docno) AS h").fetchnumpy()["h"]
        if (sizes == sizes[0]).all():  # many short sorts are faster than a long one
            hashes = hashes.reshape(len(sizes), -1)
        hashes = np.sort(hashes, axis=-1)
        if (hashes[..., 1:] == hashes[..., :-1]).any():
            numbered = table.append_column("line", pa.array(np.arange(len(table))))
            self._name_twice(self._con.from_arrow(numbered))

    def _name_twice(self, run: Any) -> None:
        """Raise for the first row that repeats one before it."""
        run.create_view("checked")
        twice = self._con.execute(
            """
            WITH twice AS (SELECT qid, docno FROM checked GROUP BY ALL HAVING count(*) > 1),
            again AS (
                SELECT qid, docno, line, row_number() OVER (PARTITION BY qid, docno ORDER BY line) AS nth
                FROM checked JOIN twice USING (qid, docno)
            )
            SELECT qid, docno FROM again WHERE nth = 2 ORDER BY line LIMIT 1
            """
        ).fetchone()
        self._con.execute("DROP VIEW checked")
        if twice:
            raise Twice(*twice)

    def _write(self, tables: list[pa.Table], last: bool = False) -> None:
        table = pa.concat_tables([*self._waiting, *tables])
        whole = len(table) if last else len(table) - len(table) % GROUP
        self._waiting = [table.slice(whole)]
        table = table.slice(0, whole).add_column(0, "run_id", pa.repeat(pa.scalar(self.run_id), whole))
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self.file, table.schema, use_dictionary=["run_id", "qid"], compression="lz4"
            )
        self._in_turn(self._writer.write_table, table, GROUP)

    def _in_turn(self, work: Callable[..., None], *arguments: Any) -> None:
        """Have the other thread do this after what it was given before; its errors come out here, a little later."""
        while len(self._pending) > 3:
            self._pending.popleft().result()
        self._pending.append(self._thread.submit(work, *arguments))

    def _order(self) -> None:
        """DuckDB sorts on disk what memory does not hold."""
        raw = self.file.with_suffix(".raw")
        self.file.rename(raw)
        self._con.execute("SET memory_limit = '600MB'")
        self._con.execute(f"SET temp_directory = '{_quoted(self.file.parent / 'sorting')}'")
        self._name_twice(self._con.read_parquet(str(raw), file_row_number=True).project("*, file_row_number AS line"))
        self._con.read_parquet(str(raw)).create_view("run")
        self._con.execute(
            f"""COPY (SELECT run_id, qid, docno, score,
                    (row_number() OVER (PARTITION BY qid ORDER BY score DESC, docno DESC) - 1)::INTEGER AS rank
                FROM run ORDER BY qid, rank) TO '{_quoted(self.file)}' (FORMAT parquet, ROW_GROUP_SIZE {GROUP})"""
        )
        self.depth = self._con.sql("SELECT max(n) FROM (SELECT count(*) AS n FROM run GROUP BY qid)").fetchall()[0][0]
        raw.unlink()


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _in_order(table: pa.Table, rank: NDArray[np.int32]) -> pa.Table:
    """Rows of each query by falling score, and equal scores by falling docno; most runs come so, but for ties."""
    scores = table["score"].to_numpy()
    same = rank[1:] > 0
    if (same & (scores[1:] > scores[:-1])).any():
        return ranked(table, len(table))
    tied = same & (scores[1:] == scores[:-1])
    if not tied.any():
        return table
    rows = np.flatnonzero(np.append(tied, False) | np.insert(tied, 0, False))
    group = np.cumsum(~np.insert(tied, 0, False))[rows]
    docnos = table["docno"].take(rows).to_pylist()
    falling = np.array(sorted(range(len(rows)), key=docnos.__getitem__, reverse=True))
    order = np.arange(len(table))
    order[rows] = rows[falling[np.argsort(group[falling], kind="stable")]]
    return table.set_column(1, "docno", table["docno"].take(order))


def lines(ranking: pa.Table, system: str) -> Iterator[bytes]:
    """A ranking as trec_eval reads it, some lines at a time; scores in full, so that they read back the same.

    Args:
        ranking: columns qid, docno, rank, score.
        system: becomes the tag, without its spaces.

    Raises:
        LswError: a qid or docno with white space in it, which six columns cannot hold.
    """
    for column in ("qid", "docno"):
        bad = ranking[column].filter(pc.match_substring_regex(ranking[column], r"\s|^$"))
        if len(bad):
            raise LswError(
                f"The {column} '{bad[0]}' has white space, which TREC's columns cannot hold.",
                cure="Choose --format csv or parquet.",
            )
    tag = "".join(system.split()) or "lsw"

    def written() -> Iterator[bytes]:
        for batch in ranking.to_batches(max_chunksize=100_000):
            text = [batch[c].cast(pa.string()) for c in ("qid", "docno", "rank", "score")]
            joined = pc.binary_join_element_wise(text[0], "Q0", *text[1:], tag, " ")
            yield ("\n".join(joined.to_pylist()) + "\n").encode()

    return written()


T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each made by another thread while the one before is dealt with."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
