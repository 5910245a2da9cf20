"""`params`: numbers as a person writes them, for those who ask to have them read so."""

from __future__ import annotations

import pytest

from valar_ui.params import mended_number, read_cell


@pytest.mark.parametrize(
    ("name", "cell", "meant"),
    [
        ("temperature", "0,7", "0.7"),
        ("temperature", " 0.7 ", "0.7"),
        ("temperature", "0.7", "0.7"),
        ("temperature", "hot", "hot"),
        ("temperature", "", ""),
        ("temperature", "0,7,1", "0,7,1"),
        ("max_output_tokens", "1024", "1024"),
        ("max_output_tokens", "1,024", "1024"),
        ("max_output_tokens", "1.024", "1024"),
        ("max_output_tokens", "1 024", "1024"),
        ("max_output_tokens", "1\u00a0024", "1024"),
        ("max_output_tokens", "1\u202f024", "1024"),
        ("max_output_tokens", "1'024", "1024"),
        ("max_output_tokens", "1,000", "1000"),
        ("max_output_tokens", "2.000", "2000"),
        ("max_output_tokens", "12,000", "12000"),
        ("max_output_tokens", "1,000,000", "1000000"),
        ("max_output_tokens", "200.0", "200"),
        ("max_output_tokens", "200,00", "200"),
        ("max_output_tokens", "many", "many"),
    ],
)
def test_a_number_is_read_as_it_is_meant(name: str, cell: str, meant: str) -> None:
    assert mended_number(name, cell) == meant
    value, found = read_cell(name, meant)
    assert (float(value) == float(meant)) if not found else meant == cell
