"""Where in a statement the cursor is: in which clause, after what, with which views at hand."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from tui.sql.tokens import Token, statement_at, tokens

_WORD = re.compile(r"\w*$")
_RELATION = {"from", "join", "describe", "summarize", "table"}
_VALUE = {
    "select", "where", "on", "by", "having", "qualify", "and", "or", "not", "distinct", "case", "when", "then", "else",
    "between", "in", "like", "ilike", "set", "limit", "using", "exclude", "filter", "over", "partition", "is", "all",
}  # fmt: skip
_CLAUSES = {"select", "from", "where", "on", "using", "group", "order", "having", "qualify", "limit", "with", "set"}
_ENDS_VALUE = {"all", "end", "null", "true", "false", "asc", "desc"}
_COMPARE = {"=", "==", "<>", "!=", "<", ">", "<=", ">=", "like", "ilike"}
_NO_ALIAS = {
    "join", "left", "right", "inner", "outer", "full", "cross", "anti", "semi", "asof", "natural", "positional",
    "using", "on", "where", "group", "order", "having", "qualify", "limit", "union", "except", "intersect", "select",
    "as", "tablesample", "window", "offset", "pivot", "unpivot",
}  # fmt: skip


class Place(NamedTuple):
    """Where the cursor is.

    `clause` is what may come: `relation` (a view), `column` (within USING or EXCLUDE), `value` (an expression),
    `after view`, `after value`, `new` (a statement begins), `new name` (any).
    """

    clause: str
    word: str
    """What is typed of it."""
    start: int
    """Where that begins, and ..."""
    end: int
    """... where what it replaces ends."""
    quoted: bool
    """Whether it is a text in quotes."""
    qualified: bool
    qualifier: str
    """What stands before a dot before it."""
    compared: tuple[str, str] | tuple[()]
    """Qualifier and name of the column whose value comes; empty if none."""
    scope: dict[str, str]
    """The statement's views, by their aliases."""
    common: list[str]
    """Names that WITH gives."""
    named: list[str]
    """Names that AS gives to columns."""


def place(text: str, cursor: int, views: Mapping[str, object]) -> Place | None:
    """Where the cursor is; None where nothing can be completed: in a comment, a number, the midst of a word."""
    cursor = max(0, min(cursor, len(text)))
    words = statement_at(tokens(text), cursor)
    inside = next((w for w in words if w.start < cursor <= w.end), None)
    scope, common, named = _scope(words, cursor, views)
    quoted = False
    if inside and inside.kind == "string":
        closed = len(inside.text) > 1 and inside.text.endswith("'")
        if (closed and cursor == inside.end) or not inside.text.startswith("'"):
            return None
        quoted = True
        word, start = text[inside.start + 1 : cursor].replace("''", "'"), inside.start
        end = cursor + text[cursor:].startswith("'")
    elif (inside and (inside.kind in ("comment", "number") or inside.text.startswith('"'))) or _in_line_comment(
        words, text, cursor
    ):
        return None
    else:
        match = _WORD.search(text[:cursor])
        word = match[0] if match else ""
        start, end = cursor - len(word), cursor
        if text[cursor : cursor + 1].isalnum() or text[cursor : cursor + 1] == "_" or word[:1].isdigit():
            return None
    before = [w for w in words if w.end <= start]
    qualified = not quoted and bool(before) and before[-1].text == "." and before[-1].end == start
    qualifier = before[-2].word if qualified and len(before) > 1 else ""
    return Place(
        _clause(before), word, start, end, quoted, qualified, qualifier, _compared(before), scope, common, named
    )


def _in_line_comment(words: list[Token], text: str, cursor: int) -> bool:
    """Whether the cursor is in the blank end of a comment, which tokens do not have."""
    last = next((w for w in reversed(words) if w.start < cursor), None)
    if last is None or last.kind != "comment":
        return False
    return not last.text.endswith("*/") and "\n" not in text[last.end : cursor]


def _scope(words: list[Token], cursor: int, views: Mapping[str, object]) -> tuple[dict[str, str], list[str], list[str]]:
    """The views of a statement by alias, the names that WITH gives, and those that AS gives."""
    words = [w for w in words if w.kind != "comment"]
    known = {view.casefold(): view for view in views}
    common = [
        words[i].text
        for i in range(1, len(words) - 2)
        if words[i - 1].word in ("with", "recursive", ",") and words[i + 1].word == "as" and words[i + 2].text == "("
    ]
    named = [
        after.text
        for w, after in pairwise(words)
        if w.word == "as" and after.kind in ("name", "keyword") and not after.start < cursor <= after.end
    ]
    scope: dict[str, str] = {}
    for i, w in enumerate(words):
        if w.word not in known or w.start < cursor <= w.end or (i and words[i - 1].text == "."):
            continue
        if not _names_relation(words, i):
            continue
        rest = words[i + 1 : i + 3]
        if rest and rest[0].word == "as":
            rest = rest[1:]
        alias = rest[0] if rest else None
        if alias and alias.kind in ("name", "keyword") and alias.word not in _NO_ALIAS and alias.end != cursor:
            scope[alias.word] = known[w.word]
        else:
            scope[w.word] = known[w.word]
    return scope, common, [n for n in named if n.casefold() not in scope]


def _names_relation(words: list[Token], i: int) -> bool:
    """Whether a token stands after FROM or JOIN, or after a comma in the list after FROM."""
    depth = 0
    for w in reversed(words[:i]):
        if w.text == ")":
            depth += 1
        elif w.text == "(":
            if depth == 0:
                return False
            depth -= 1
        elif depth == 0:
            if w.word in _RELATION:
                after = words[words.index(w) + 1 : i]
                return not after or after[-1].text == ","
            if w.word in _CLAUSES:
                return False
    return False


def _clause(before: list[Token]) -> str:
    before = [w for w in before if w.kind != "comment"]
    if not before:
        return "new"
    last = before[-1]
    if last.word in _RELATION:
        return "relation"
    opener, clause = _opened(before)
    if opener in ("using", "exclude"):
        return "column" if last.text in ("(", ",") else "after value"
    if last.text == "(":
        return "new" if opener in ("", "as", "from", "join", "exists", "any", "with") else "value"
    if last.word in ("with", "recursive", "as"):
        return "new name"
    if clause in ("from", "join", "describe", "summarize"):
        return "relation" if last.text == "," else "after view"
    ends = last.kind in ("string", "number") or last.text in (")", "]", "*") or last.word in _ENDS_VALUE
    if last.kind == "operator" and not ends:
        return "value"
    if last.kind == "keyword" and last.word in _VALUE and not ends:
        return "value"
    if last.text == "*" and len(before) > 1 and before[-2].word not in ("select", "distinct", ",", "("):
        return "value"  # a product
    return "after value"


def _opened(before: list[Token]) -> tuple[str, str]:
    """The word before the parenthesis that the cursor is in, and the clause at its depth."""
    depth, clause = 0, ""
    for i in range(len(before) - 1, -1, -1):
        w = before[i]
        if w.text in (")", "]"):
            depth += 1
        elif w.text in ("(", "["):
            if depth == 0:
                return (before[i - 1].word if i else ""), clause
            depth -= 1
        elif depth == 0 and not clause and w.word in (_CLAUSES | {"join", "describe", "summarize"}):
            clause = w.word
    return "", clause


def _compared(before: list[Token]) -> tuple[str, str] | tuple[()]:
    """The column that a value after these tokens is compared with."""
    i = len(before) - 1
    if i >= 1 and before[i].text in ("(", ","):  # column IN ('a', 'b', ...
        while i >= 0 and (before[i].text == "," or before[i].kind in ("string", "number")):
            i -= 1
        if i < 1 or before[i].text != "(" or before[i - 1].word != "in":
            return ()
        i -= 2
        if i >= 0 and before[i].word == "not":
            i -= 1
    elif i >= 1 and before[i].word in _COMPARE:
        i -= 1
        if before[i].word == "not":
            i -= 1
    else:
        return ()
    if i < 0 or before[i].kind not in ("name", "keyword"):
        return ()
    qualifier = before[i - 2].word if i >= 2 and before[i - 1].text == "." else ""
    return qualifier, before[i].word
