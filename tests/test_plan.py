"""The cut into parts, exact at every boundary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valar_ui.limits import MAX_BODY_BYTES, MAX_LABEL, MAX_REQUESTS
from valar_ui.plan import HEAD, Plan, part_body, plan, tail


def counts(cut: Plan) -> list[int]:
    return [part.count for part in cut.parts]


@pytest.mark.parametrize(
    ("requests", "parts"),
    [
        (0, []),
        (1, [1]),
        (MAX_REQUESTS, [MAX_REQUESTS]),
        (MAX_REQUESTS + 1, [MAX_REQUESTS, 1]),
        (241_203, [100_000, 100_000, 41_203]),
    ],
)
def test_at_most_100_000_requests_a_part(requests: int, parts: list[int]) -> None:
    cut = plan(np.full(requests, 100, np.uint32), "reviews")
    assert counts(cut) == parts
    assert cut.requests == requests
    assert cut.ok is (requests > 0)


@pytest.mark.parametrize("label", ["", "x", "l" * MAX_LABEL])
@pytest.mark.parametrize(("bytes_more", "parts"), [(-1, 1), (0, 2)])
def test_a_body_of_255_999_999_bytes_goes_and_one_more_does_not(label: str, bytes_more: int, parts: int) -> None:
    frame = len(HEAD) + len(tail(label)) + 1
    sizes = np.array([1_000, MAX_BODY_BYTES + bytes_more - frame - 1_000], np.uint32)
    cut = plan(sizes, label)
    assert len(cut.parts) == parts
    if parts == 1:
        assert cut.parts[0].body_bytes == 255_999_999
        assert cut.ok


@pytest.mark.parametrize(("size", "fits"), [(255_999_999, True), (256_000_000, False)])
def test_a_single_request_at_the_limit(size: int, fits: bool) -> None:
    cut = plan(np.array([size - len(HEAD) - len(tail("l"))], np.uint32), "l")
    assert cut.parts[0].body_bytes == size
    assert cut.ok is fits
    assert [problem.code for problem in cut.problems] == ([] if fits else ["request-too-big"])


@pytest.mark.parametrize(
    ("label", "requests", "labels", "codes"),
    [
        ("r", 5, ["r"], []),
        ("", 250_000, ["", "", ""], []),
        ("r", 250_000, ["r-1of3", "r-2of3", "r-3of3"], []),
        ("r" * 123, 250_000, ["r" * 123 + f"-{n}of3" for n in (1, 2, 3)], []),
        ("r" * 124, 250_000, ["r" * 124 + f"-{n}of3" for n in (1, 2, 3)], ["label-length"]),
        ("r" * 128, 1, ["r" * 128], []),
        ("r" * 129, 1, ["r" * 129], ["label-length"]),
        ("r s", 1, ["r s"], ["label-characters"]),
        ("r\n", 1, ["r\n"], ["label-characters"]),
    ],
)
def test_labels(label: str, requests: int, labels: list[str], codes: list[str]) -> None:
    cut = plan(np.full(requests, 100, np.uint32), label)
    assert [part.label for part in cut.parts] == labels
    assert [problem.code for problem in cut.problems] == codes


def test_a_tenth_part_makes_every_label_longer() -> None:
    # Nine parts would hold them, were the labels not one character longer with ten.
    room = MAX_BODY_BYTES - 1 - len(HEAD) - len(tail("r-1of9"))
    assert len(plan(np.full(9, room, np.uint32), "r").parts) == 9
    assert plan(np.full(10, room, np.uint32), "r").problems[0].code == "request-too-big"
    halves = plan(np.full(20, room // 2 - 1, np.uint32), "r")
    assert counts(halves) == [2] * 9 + [1, 1]
    assert halves.ok
    assert [part.label for part in halves.parts][-2:] == ["r-10of11", "r-11of11"]
    assert max(part.body_bytes for part in halves.parts) == MAX_BODY_BYTES - 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=30),
    st.sampled_from(["", "lab", "l" * 20]),
)
def test_the_bytes_are_those_planned(fills: list[int], label: str) -> None:
    items = [orjson.dumps({"custom_id": f"row-{at}", "params": {"input": "ü" * fill}}) for at, fill in enumerate(fills)]
    cut = plan(np.array([len(item) for item in items], np.uint64), label)
    body = HEAD + b",".join(items) + tail(label)
    assert cut.parts[0].body_bytes == len(body)
    assert orjson.loads(body).get("label", "") == label


def test_the_bodies_of_several_parts_join_to_all_requests(tmp_path: Path) -> None:
    items = [b'{"custom_id":"row-%d","params":{}}' % at for at in range(MAX_REQUESTS + 3)]
    path = tmp_path / "items.bin"
    path.write_bytes(b",".join(items))
    sizes = np.array([len(item) for item in items], np.uint32)
    cut = plan(sizes, "two")
    bodies = [b"".join(part_body(path, sizes, part)) for part in cut.parts]
    assert [len(body) for body in bodies] == [part.body_bytes for part in cut.parts]
    parsed = [orjson.loads(body) for body in bodies]
    assert [value["label"] for value in parsed] == ["two-1of2", "two-2of2"]
    assert [one["custom_id"] for value in parsed for one in value["requests"]] == [
        f"row-{at}" for at in range(MAX_REQUESTS + 3)
    ]


def test_a_body_cut_short_on_disk_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "items.bin"
    path.write_bytes(b"{}")
    sizes = np.array([2, 2], np.uint32)
    with pytest.raises(EOFError):
        b"".join(part_body(path, sizes, plan(sizes).parts[0]))
