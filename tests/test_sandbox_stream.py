"""JSON through a sliding window reads as `json` does, wherever the window ends, and refuses what is not JSON."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valar_ui.sandbox import stream
from valar_ui.sandbox.errors import Refusal
from valar_ui.sandbox.stream import JsonStream

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=15,
)


class Drops(io.BytesIO):
    """A file that gives at most `size` bytes at once."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read(self, _size: int | None = -1, /) -> bytes:
        """Fewer bytes than asked for."""
        return super().read(self._size)


def read(content: bytes, size: int = 1 << 20) -> Any:
    """One whole value and nothing behind it."""
    cursor = JsonStream(Drops(content, size))
    value = cursor.value()
    cursor.end()
    return value


@given(value=values, size=st.integers(1, 40), indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_any_value_survives_any_window(value: Any, size: int, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read(f" {text}\n".encode(), size) == value


@given(members=st.dictionaries(st.text(), st.lists(values, max_size=4), max_size=4), size=st.integers(1, 40))
def test_members_and_items_come_one_by_one(members: dict[str, list[Any]], size: int) -> None:
    cursor = JsonStream(Drops(json.dumps(members).encode(), size))
    assert {name: list(cursor.items()) for name in cursor.members()} == members
    cursor.end()


BROKEN = [
    b"",
    b" ",
    b"{",
    b"[1",
    b"[1,]",
    b'{"a":1,}',
    b'{"a" 1}',
    b"{a:1}",
    b"'a'",
    b"[1] 2",
    b"nul",
    b"NaN",
    b"[Infinity]",
    b"-",
    b"01",
    b"1e999",
    b'"\x01"',
    b'"\\x"',
    b'"\\u12"',
    b'"open',
    b'"\xff"',
    b'"\xc3',
    b"\xef\xbb\xbf1",
    b'{"a":1,"a":2}',
    b'[{"x":{"a":1,"a":1}}]',
    b"[" * 100_000,
    b"[" + b"9" * 5000 + b"]",
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_what_is_not_json_is_refused(content: bytes, size: int) -> None:
    if len(content) > 1000 and size == 1:
        size = 1000
    with pytest.raises(Refusal) as caught:
        read(content, size)
    assert len(caught.value.message) < 500


def test_a_key_of_the_outermost_object_given_twice_is_refused() -> None:
    cursor = JsonStream(io.BytesIO(b'{"a":1,"a":2}'))
    with pytest.raises(Refusal) as caught:
        list(map(lambda _: cursor.value(), cursor.members()))  # noqa: C417 - each value is read before the next key
    assert caught.value.param == "a"


def test_an_early_fault_is_found_without_reading_on() -> None:
    class Endless(io.BytesIO):
        chunks = 0

        def read(self, _size: int | None = -1, /) -> bytes:
            self.chunks += 1
            return b'{"a": oops' + b" " * stream.CHUNK

    file = Endless()
    with pytest.raises(Refusal):
        JsonStream(file).value()
    assert file.chunks == 1
