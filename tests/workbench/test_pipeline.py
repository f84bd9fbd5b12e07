"""Pipelines as text: what is read is what is written, as Python reads PyTerrier's operators."""

import ast
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from workbench.pipeline import Fused, Name, Pipeline, Then, pipeline, shaped, systems


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("bm25", "bm25"),
        (" rrf( bm25-4grams,bge-m3 )>>mt5", "rrf(bm25-4grams, bge-m3) >> mt5"),
        ("0.50*bm25-4grams + bge-m3 * 2.0", "0.5 * bm25-4grams + 2 * bge-m3"),
        ("a + b >> c", "(a + b) >> c"),
        ("a + (b >> c)", "a + (b >> c)"),
        ("(a + 1 * b) + c", "a + b + c"),
        ("3 * (a + b) + c", "3 * (a + b) + c"),
        ("((a)) >> (b >> c)", "a >> b >> c"),
        ("rrf(a >> b, 1e20 * c + 1e-3 * d)", "rrf(a >> b, 1e20 * c + 0.001 * d)"),
    ],
)
def test_a_pipeline_has_one_name(text: str, canonical: str) -> None:
    assert str(pipeline(text)) == canonical
    assert str(pipeline(canonical)) == canonical


def test_what_training_makes_a_trained_pipeline() -> None:
    """The last stage; of a fusion all parts."""
    assert shaped(pipeline("bge-m3 >> mt5")) == ["mt5"]
    assert shaped(pipeline("rrf(bm25, bge-m3 >> mt5, colbert-xm)")) == ["bm25", "mt5", "colbert-xm"]
    assert systems(pipeline("rrf(bm25, bge-m3 >> mt5) >> x")) == ["bm25", "bge-m3", "mt5", "x"]


@pytest.mark.parametrize(
    ("text", "what", "place", "cure"),
    [
        ("", "the end where a system should be", 1, "rrf(bm25, bge-m3) >> mt5"),
        ("bm25 >>", "the end where a system should be", 8, ""),
        ("bm25 > mt5", "a single '>'", 6, "'>>'"),
        ("rrf(a b)", "'b' where ',' or ')' should be", 7, ""),
        ("rrf(a", "the end where ',' or ')' should be", 6, ""),
        ("a b", "'b' where '>>', '+' or the end should be", 3, ""),
        ("rff(a, b)", "the unknown fusion 'rff'", 1, "'rrf'"),
        ("sum(a, b)", "the unknown fusion 'sum'", 1, "0.5 * bm25"),
        ("rrf(a)", "'rrf' of a single run", 1, "two or more"),
        ("2 * a >> b", "a weight without a sum", 1, "write a"),
        ("rrf(a, 2 * b)", "a weight without a sum", 8, "write b"),
        ("a + a", "'a' twice", 1, ""),
        ("a + -1 * b", "the weight -1", 5, "above 0"),
        ("0 * a + b", "the weight 0", 1, "above 0"),
        ("a * 1e999 + b", "the weight 1e999", 5, "finite"),
        ("a * b", "'b' where a number should be", 5, ""),
        ("(" * 5_000 + "a", "too many brackets", 18, "At most 16"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, what: str, place: int, cure: str) -> None:
    with pytest.raises(LswError) as refused:
        pipeline(text)
    assert f"{what}" in refused.value.title and refused.value.title.endswith(f"at character {place}.")
    assert cure in refused.value.cure


NAMES = ("bm25", "bge-m3", "mt5", "x_y.z", "2nd")
parts = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3, unique=True).map(lambda p: f"rrf({', '.join(p)})"),
        st.lists(st.tuples(st.sampled_from([0.5, 1.0, 3.0, 1e-9]), inner), min_size=2, max_size=3).map(
            lambda p: "(" + " + ".join(f"{w} * {part}" for w, part in p) + ")"
        ),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: "(" + " >> ".join(p) + ")"),
    ),
    max_leaves=8,
)


@given(text=parts)
def test_what_is_read_is_written_and_read_again(text: str) -> None:
    with suppress(LswError):  # of two equal parts
        read = pipeline(text)
        assert pipeline(str(read)) == read


def as_python(node: ast.expr) -> tuple[float | None, Pipeline]:
    """What Python makes of the operators: a weight, if the whole is weighted, and the tree."""
    if isinstance(node, ast.Name):
        return None, Name(node.id)
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Mult):
        assert isinstance(node.left, ast.Constant) and isinstance(node.left.value, int | float)
        return float(node.left.value), as_python(node.right)[1]
    both = [as_python(side) for side in (node.left, node.right)]
    if isinstance(node.op, ast.RShift):
        return None, Then(tuple(s for _, of in both for s in (of.stages if isinstance(of, Then) else (of,))))
    terms: list[tuple[float, Pipeline]] = []
    for weight, of in both:
        if weight is None and isinstance(of, Fused):
            terms += zip(of.weights, of.parts, strict=True)
        else:
            terms.append((weight or 1.0, of))
    return None, Fused("sum", tuple(of for _, of in terms), tuple(weight for weight, _ in terms))


@given(
    weights=st.lists(st.sampled_from([None, 2, 0.25]), min_size=3, max_size=3),
    operators=st.lists(st.sampled_from(["+", ">>"]), min_size=3, max_size=3),
    bracket=st.sampled_from([None, (0, 1), (1, 2), (2, 3), (1, 3)]),
)
def test_operators_bind_as_in_python(
    weights: list[float | None], operators: list[str], bracket: tuple[int, int] | None
) -> None:
    words: list[str] = []
    for i, name in enumerate("abcd"):
        # A weight only where it is part of a sum.
        near = operators[max(i - 1, 0) : i + 1]
        weighted = i < 3 and weights[i] and set(near) == {"+"} and bracket is None
        words += [f"{weights[i]} * {name}" if weighted else name, *operators[i : i + 1]]
    if bracket:
        words[2 * bracket[0]] = "(" + words[2 * bracket[0]]
        words[2 * bracket[1]] += ")"
    text = " ".join(words)
    assert pipeline(text) == as_python(ast.parse(text, mode="eval").body)[1]
