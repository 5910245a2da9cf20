"""Holes are found and filled in one pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valar_ui.template import Template, hole, holes, literal, nearest, renamed, resolve


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("no hole", ()),
        ("{{a}}", ("a",)),
        ("{{ a }} and {{b}} and {{a}}", ("a", "b")),
        ("{{Größe (cm)}}{{a}b}}", ("Größe (cm)", "a}b")),
        ("{{a\nb}}", ("a\nb",)),
        ("{{{a}}}", ("a",)),
        (r"\{{a}}", ()),
        (r"\\{{a}}", ("a",)),
        (r"\\\{{a}}", ()),
        ("{{}} {{ }} {{a", ()),
        ("{a}", ()),
    ],
)
def test_holes(text: str, names: tuple[str, ...]) -> None:
    assert holes(text) == names


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hi {{a}}!", "Hi {{b}}!"),
        ("{{a}}{{b}}", "{{b}}2"),
        ("{{ b }}", "2"),
        (r"\{{b}}", "{{b}}"),
        (r"\\{{b}}", "\\2"),
        (r"\\\{{b}}", r"\{{b}}"),
        ("{{{b}}}", "{2}"),
        ("{{b", "{{b"),
        (r"C:\dir", r"C:\dir"),
    ],
)
def test_one_pass(text: str, filled: str) -> None:
    assert Template(text).fill({"a": "{{b}}", "b": "2"}) == filled


def test_a_hole_without_a_column_is_an_error() -> None:
    with pytest.raises(KeyError):
        Template("{{c}}").fill({"a": ""})


@pytest.mark.parametrize(
    ("text", "unclosed", "single"),
    [
        ("{{a}}", False, ()),
        ("{{a", True, ()),
        (r"\{{a", False, ()),
        ("{a} {b c}", False, ("a", "b c")),
        ("{{}}", True, ()),
    ],
)
def test_what_looks_like_a_hole(text: str, unclosed: bool, single: tuple[str, ...]) -> None:
    assert Template(text).unclosed is unclosed
    assert Template(text).single_braced == single


@pytest.mark.parametrize(
    ("slot", "columns", "column"),
    [
        ("a", ["a", " a"], "a"),
        (" a", ["a", " a"], " a"),
        (" a ", ["a"], "a"),
        ("first  name", ["first name"], "first name"),
        ("first name", ["first\nname"], "first\nname"),
        ("first name", ["first\nname", "first  name"], None),
        ("A", ["a"], None),
        ("x", [], None),
    ],
)
def test_resolve(slot: str, columns: list[str], column: str | None) -> None:
    assert resolve(slot, columns) == column


@pytest.mark.parametrize(
    ("name", "column"), [("reveiw", "review"), ("Review Text", "review_text"), ("REVIEW", "review"), ("zzz", None)]
)
def test_nearest(name: str, column: str | None) -> None:
    assert nearest(name, ["product", "review", "review_text"]) == column


@given(st.text(alphabet=st.sampled_from("a{}\\ \n"), max_size=20))
def test_a_literal_comes_out_as_it_went_in(text: str) -> None:
    assert Template(literal(text)).fill({}) == text


@given(
    st.text(alphabet="ab ü}\n", min_size=1, max_size=6).filter(lambda name: name.strip() and "}}" not in name + "}"),
    st.text(),
)
def test_any_column_can_be_asked_for(name: str, cell: str) -> None:
    assert Template(f"<{hole(name)}>").fill({name: cell}) == f"<{cell}>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{a}} and {{ a }}{{b}}", "{{c}} and {{c}}{{b}}"),
        (r"\{{a}} is no hole, \\{{a}} is one", r"\{{a}} is no hole, \\{{c}} is one"),
        ("{a} {{a", "{a} {{a"),
        ("{{A}}", "{{A}}"),
    ],
)
def test_renaming_a_hole_touches_nothing_else(text: str, expected: str) -> None:
    assert renamed(text, "a", "c") == expected


@pytest.mark.parametrize("column", ["a", "size {cm}", "{x}", "x}", "{y", "a b", "}"])
def test_the_hole_of_a_column_asks_for_that_column(column: str) -> None:
    text = f'{{"text": {hole(column)}}} and {hole(column)}'
    assert Template(text).fill({column: "CELL", "x": "other", "size {cm": "other"}) == '{"text": CELL} and CELL'
