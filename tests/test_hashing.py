"""`hashing`: the digest of what was handed over, whatever the blocks."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from valar_ui.hashing import Hashing


@given(st.lists(st.binary(max_size=200), max_size=12))
def test_the_digest_is_that_of_all_blocks_in_order(blocks: list[bytes]) -> None:
    with Hashing() as hashing:
        for at, block in enumerate(blocks):
            assert hashing.hexdigest() == hashlib.sha256(b"".join(blocks[:at])).hexdigest()
            hashing.update(block)
        assert hashing.hexdigest() == hashlib.sha256(b"".join(blocks)).hexdigest()
