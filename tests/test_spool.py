"""The spool: whole files or none, the sealed bytes or a refusal."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from valar_ui.spool import DiskFull, Spool, Spooled, SpoolGone, megabytes


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool that reads three bytes at a time."""
    return Spool(tmp_path, read_bytes=3)


def test_bytes_come_back_with_their_hash(spool: Spool) -> None:
    spooled = spool.write("a", [b"hello", b" ", b"world"], length=11)
    assert spooled.sha256 == hashlib.sha256(b"hello world").hexdigest()
    spool.check(spooled)
    assert b"".join(spool.chunks(spooled)) == b"hello world"
    assert stat.S_IMODE((spool.folder / "a").stat().st_mode) == 0o600
    assert (spool.remove("a"), spool.remove("a"), spool.names()) == (11, 0, [])


@pytest.mark.parametrize("damage", ["changed", "shorter", "longer", "gone"])
def test_other_bytes_than_sealed_are_refused(spool: Spool, damage: str) -> None:
    spooled = spool.write("a", [b"hello world"], length=11)
    path = spool.folder / "a"
    match damage:
        case "changed":
            path.write_bytes(b"hello_world")
        case "shorter":
            path.write_bytes(b"hello")
        case "longer":
            path.write_bytes(b"hello world!")
        case "gone":
            path.unlink()
    with pytest.raises(SpoolGone):
        spool.check(spooled)


def test_a_body_of_another_length_leaves_nothing_behind(spool: Spool) -> None:
    with pytest.raises(SpoolGone):
        spool.write("a", [b"hello"], length=6)
    assert spool.names() == []


def test_a_source_that_fails_leaves_nothing_behind(spool: Spool) -> None:
    def source() -> list[bytes]:
        raise EOFError("short")

    with pytest.raises(EOFError):
        spool.write("a", (chunk for _ in (1,) for chunk in source()), length=6)
    assert spool.names() == []


def test_a_disk_too_small_is_said_before_it_is_begun(spool: Spool) -> None:
    with pytest.raises(DiskFull) as raised:
        spool.room_for(10**18)
    assert megabytes(raised.value.needed) in str(raised.value)
    assert megabytes(raised.value.free) in str(raised.value)
    spool.room_for(1)


def test_a_missing_file_is_gone_not_an_error(spool: Spool) -> None:
    with pytest.raises(SpoolGone):
        spool.check(Spooled("nothing", "0" * 64, 1))
