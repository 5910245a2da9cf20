"""What is wrong with a batch's label."""

from __future__ import annotations

from valar_ui.limits import LABEL, MAX_LABEL
from valar_ui.problems import Problem


def check_label(label: str, *, parts: int = 1) -> Problem | None:
    """What is wrong with a label, once numbered for that many parts; an empty label is no label."""
    if not label:
        return None
    if LABEL.fullmatch(label) is None:
        return Problem(
            "label-characters",
            "The label has characters that Valar does not take.",
            "Use letters (a-z, A-Z), digits, - and _.",
        )
    numbered = len(label) if parts == 1 else len(f"{label}-{parts}of{parts}")
    if numbered > MAX_LABEL:
        beside = "" if parts == 1 else f" with the number of the part (-{parts}of{parts})"
        return Problem(
            "label-length",
            f"The label has {numbered} characters{beside}; Valar takes {MAX_LABEL}.",
            f"Shorten it by {numbered - MAX_LABEL}.",
        )
    return None
