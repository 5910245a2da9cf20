"""Which column is which param: exact names, a look at the cells, no guessing by likeness."""

from __future__ import annotations

from pathlib import Path

import pytest

from valar_ui.suggest import normal, suggest
from valar_ui.table import Table, TableWriter

LONG = "a text that is long enough to be asked about"


def table(folder: Path, columns: dict[str, list[str]]) -> Table:
    path = folder / "t.arrow"
    with TableWriter(path, list(columns)) as writer:
        for at, row in enumerate(zip(*columns.values(), strict=True)):
            writer.append(at + 2, 0, row)
    return Table(path)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"Text": [LONG, "b"], "Id": ["1", "2"]}, {"input": "Text", "custom_id": "Id"}),
        ({"userPrompt": [LONG], "requestID": ["x"]}, {"input": "userPrompt", "custom_id": "requestID"}),
        ({"prompt": [LONG], "text": [LONG]}, {"input": "prompt"}),
        ({"text": [LONG], "question": [LONG]}, {}),
        ({"text": [LONG], "text (2)": [LONG]}, {}),
        ({"prompt": [LONG], "prompt (2)": ["1"]}, {"input": "prompt"}),
        ({"id": ["1"], "id (2)": ["2"], "id (3)": ["3"]}, {}),
        ({"text (2)": [LONG]}, {}),
        ({"prompt": ["1", "2.5"]}, {}),
        ({"id": ["1", "1"]}, {}),
        ({"id": ["1", ""]}, {}),
        ({"temperature": ["0", "2", ""]}, {"temperature": "temperature"}),
        ({"temperature": ["21.5", "19"]}, {}),
        ({"top_p": ["0.5", "1"]}, {"top_p": "top_p"}),
        ({"Problem (Valar batches)": [LONG, LONG]}, {}),
        ({"type": ["1", "0"], "team": ["x", "y"]}, {}),
        ({"max_tokens": ["100", "5"]}, {"max_output_tokens": "max_tokens"}),
        ({"max_tokens": ["100", "0"]}, {}),
        ({"reasoning.effort": ["low", "high"]}, {"reasoning_effort": "reasoning.effort"}),
        ({"Effort": ["5 days"]}, {}),
        ({"image_url": ["https://x/y.png"]}, {"image": "image_url"}),
        ({"image": ["y.png"]}, {}),
        ({"model": ["m"], "system prompt": ["be kind"]}, {"model": "model", "system": "system prompt"}),
    ],
)
def test_exact_names_with_fitting_cells(
    columns: dict[str, list[str]], expected: dict[str, str], tmp_path: Path
) -> None:
    found = suggest(table(tmp_path, columns))
    assert {target: found.column for target, found in found.items() if found.exact} == expected
    assert all(suggestion.reason for suggestion in found.values())


def test_the_longest_text_is_offered_but_not_filled_in(tmp_path: Path) -> None:
    found = suggest(table(tmp_path, {"sku": ["a", "b"], "Kundenmeinung": [LONG, LONG], "price": ["1.5", "2"]}))
    assert (found["input"].column, found["input"].exact) == ("Kundenmeinung", False)
    assert "input" not in suggest(table(tmp_path, {"sku": ["a", "b"], "price": ["1", "2"]}))


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("customID", "custom id"),
        ("Custom_Id", "custom id"),
        ("ＴＥＸＴ", "text"),
        ("te\u200bxt", "text"),
        ("HTTPStatus", "http status"),
    ],
)
def test_headings_compare_without_their_dress(heading: str, name: str) -> None:
    assert normal(heading) == name
