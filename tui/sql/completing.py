"""What may stand where the cursor is in half a statement: views, columns, functions, keywords, values."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tui.sql.scope import Place, place

Views = Mapping[str, Mapping[str, str]]
"""The columns of each view with their types."""
Values = Mapping[tuple[str, str], Sequence[str]]
"""Values of (view, column)."""
MOST = 60
"""Completions at most."""
NEW = ("SELECT", "FROM", "WITH", "DESCRIBE", "SUMMARIZE", "EXPLAIN")
AFTER_VIEW = (
    "JOIN", "LEFT JOIN", "ANTI JOIN", "SEMI JOIN", "FULL JOIN", "CROSS JOIN", "USING", "ON", "WHERE", "GROUP BY",
    "ORDER BY", "HAVING", "QUALIFY", "LIMIT", "UNION ALL", "SELECT", "AS",
)  # fmt: skip
AFTER_VALUE = (
    "FROM", "AS", "AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS NULL", "IS NOT NULL", "DESC", "ASC",
    "NULLS LAST", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "QUALIFY", "LIMIT", "UNION ALL", "EXCEPT", "INTERSECT",
    "THEN", "WHEN", "ELSE", "END", "OVER", "FILTER", "WITHIN GROUP", "JOIN", "LEFT JOIN",
)  # fmt: skip
BEFORE_VALUE = ("DISTINCT", "ALL", "CASE", "NOT", "EXISTS", "NULL", "TRUE", "FALSE", "CAST", "COLUMNS", "EXCLUDE")
OTHERS = (
    "RECURSIVE", "PARTITION", "ROWS", "RANGE", "PRECEDING", "FOLLOWING", "UNBOUNDED", "RIGHT", "INNER", "OUTER",
    "NATURAL", "ASOF", "OFFSET", "PIVOT", "UNPIVOT", "WINDOW", "REPLACE", "ANY", "SOME", "SHOW", "VALUES", "INTERVAL",
    "LATERAL", "FIRST", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INTO", "SET", "TABLE",
)  # fmt: skip
"""Keywords that are not offered."""
FUNCTIONS = (
    "avg", "count", "sum", "min", "max", "median", "mode", "stddev", "var_samp", "quantile_cont", "corr", "any_value",
    "arg_max", "arg_min", "bool_and", "bool_or", "list", "string_agg", "histogram", "first", "last", "row_number",
    "rank", "dense_rank", "lag", "lead", "first_value", "last_value", "ntile", "abs", "round", "floor", "ceil",
    "sqrt", "ln", "log", "exp", "greatest", "least", "coalesce", "nullif", "if", "length", "lower", "upper", "trim",
    "substring", "replace", "split_part", "concat", "contains", "starts_with", "ends_with", "regexp_matches",
    "regexp_extract", "levenshtein", "jaro_winkler_similarity", "date_trunc", "epoch", "json_extract_string",
    "json_keys", "unnest", "list_contains", "range",
)  # fmt: skip


class Completion(NamedTuple):
    """Something to put in place of what is between `start` and `end` (characters of the text)."""

    name: str
    """As it is listed."""
    text: str
    """As it is inserted."""
    kind: str
    """view, column, name (an alias), function, keyword or value."""
    about: str
    """What it is: the type and views of a column, what one row of a view is."""
    start: int
    end: int


class Wanted(NamedTuple):
    """Values that are needed to go on: of which column, and how they begin."""

    view: str
    column: str
    begins: str


def wanted(text: str, cursor: int, views: Views) -> Wanted | None:
    """Which values of the store may stand at the cursor: those of the column that is compared there."""
    here = place(text, cursor, views)
    if here is None or not here.compared:
        return None
    qualifier, column = here.compared
    near = [here.scope[qualifier]] if qualifier in here.scope else [*here.scope.values(), *views]
    for view in near:
        for known in views.get(view, ()):
            if known.casefold() == column:
                return Wanted(view, known, here.word if here.quoted else "")
    return None


def completions(
    text: str, cursor: int, views: Views, values: Values, rows: Mapping[str, str] | None = None
) -> list[Completion]:
    """What may stand at the cursor, the likeliest first; nothing in comments and numbers, and within a word.

    Args:
        text: SQL, as far as it is written.
        cursor: characters before the cursor; one outside of the text is at its nearest end.
        views: what the store has.
        values: what is known of values; see `wanted`.
        rows: what one row of each view is, which is said beside its name.
    """
    here = place(text, cursor, views)
    if here is None or here.clause == "new name":
        return []
    if here.quoted or (here.compared and not here.word):
        found = _values(here, wanted(text, cursor, views), values)
        if here.quoted or found:
            return found[:MOST]
    listed: list[tuple[str, str, str, str]]  # name, text, kind, about
    if here.qualified:
        view = here.scope.get(here.qualifier, here.qualifier)
        listed = [(c, c, "column", kind) for c, kind in views.get(view, {}).items()]
    elif here.clause == "relation":
        listed = [(n, n, "name", "of this statement") for n in here.common]
        listed += [(v, v, "view", (rows or {}).get(v, "")) for v in views]
    elif here.clause == "column":
        listed = [c for c in _columns(here, views) if c[2] == "column"]
    elif here.clause == "value":
        listed = _columns(here, views)
        if here.word:
            listed += [(f + "()", f + "(", "function", "") for f in FUNCTIONS]
            listed += _keywords(BEFORE_VALUE) + _others(here, views)
    else:
        after = {"new": NEW, "after view": AFTER_VIEW, "after value": AFTER_VALUE}[here.clause]
        listed = _keywords(after) if here.word else []
    return _matching(here, listed)


def _keywords(words: Sequence[str]) -> list[tuple[str, str, str, str]]:
    return [(word, word, "keyword", "") for word in words]


def _columns(here: Place, views: Views) -> list[tuple[str, str, str, str]]:
    """Columns of the statement's views, then its aliases."""
    where: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    shown = dict.fromkeys(view for view in here.scope.values() if view in views)
    for view in shown:
        for column, kind in views[view].items():
            where.setdefault(column, []).append(view)
            kinds.setdefault(column, kind)
    listed = [(c, c, "column", f"{kinds[c]} of {', '.join(where[c])}") for c in where]
    if not here.word:  # nothing is typed yet: only what is there to choose from
        return listed
    aliases = [alias for alias, view in here.scope.items() if alias != view.casefold()]
    names = dict.fromkeys(name for name in [*here.named, *aliases] if name not in where)
    views_too = [(view, view, "view", "") for alias, view in here.scope.items() if alias not in aliases]
    return [*((name, name, "name", "of this statement") for name in names), *listed, *views_too]


def _others(here: Place, views: Views) -> list[tuple[str, str, str, str]]:
    """Columns of views that the statement does not have."""
    where: dict[str, list[str]] = {}
    mine = {column for view in here.scope.values() for column in views.get(view, ())}
    for view, columns in views.items():
        for column in columns:
            if column not in mine:
                where.setdefault(column, []).append(view)
    return [(c, c, "column", f"of {', '.join(v[:3])}{', ...' if len(v) > 3 else ''}") for c, v in where.items()]


def _values(here: Place, want: Wanted | None, values: Values) -> list[Completion]:
    if want is None:
        return []
    word = here.word.casefold() if here.quoted else ""
    known = values.get((want.view, want.column), ())
    found = [value for value in known if value.casefold().startswith(word)]
    return [
        Completion(value, "'" + value.replace("'", "''") + "'", "value", want.column, here.start, here.end)
        for value in found
    ]


def _matching(here: Place, listed: list[tuple[str, str, str, str]]) -> list[Completion]:
    """Those that begin as the word does, then those a part of which does (`variety`: `query_variety`)."""
    word = here.word.casefold()
    exact, first, inner = [], [], []
    seen = set()
    for name, text, kind, about in listed:
        if (text.casefold(), kind == "keyword") in seen:
            continue
        folded = name.casefold()
        if kind in ("keyword", "function") and len(word) < 2:
            continue
        if kind == "keyword" and word and here.word.islower():
            name = text = text.lower()
        if kind in ("column", "view", "name") and not text.isidentifier():
            text = '"' + text.replace('"', '""') + '"'
        offer = Completion(name, text, kind, about, here.start, here.end)
        if folded == word:
            exact.append(offer)
        elif folded.startswith(word):
            first.append(offer)
        elif kind in ("column", "view") and len(word) > 1 and f"_{word}" in folded:
            inner.append(offer)
        else:
            continue
        seen.add((text.casefold(), kind == "keyword"))
    return [*exact, *first, *inner][:MOST]


def whole(word: str, offer: Completion) -> bool:
    """Whether what is typed is already what is offered."""
    return offer.text.casefold() == word.casefold()
