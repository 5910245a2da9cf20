"""The one pass over a draft: every row composed, checked, counted and written as the exact bytes to be sent.

`prepare` writes a folder that never changes afterwards: `items.bin` (the requests joined by commas), `sizes.bin`,
`manifest.arrow`, `problems.jsonl`, `prepared.json`. It appears under its name only when it is whole.
"""

from valar_ui.prepare.anchors import anchored, stamped
from valar_ui.prepare.comparison import Change, Comparison, Side, compare
from valar_ui.prepare.prepared import Prepared, fingerprint
from valar_ui.prepare.problems import all_problems, neutral, problems_csv, problems_page
from valar_ui.prepare.run import prepare
from valar_ui.prepare.sheet import sheet_with_problems
from valar_ui.prepare.surplus import dropped_again, surplus
from valar_ui.problems import PROBLEM_HEADING

__all__ = [
    "PROBLEM_HEADING",
    "Change",
    "Comparison",
    "Prepared",
    "Side",
    "all_problems",
    "anchored",
    "compare",
    "dropped_again",
    "fingerprint",
    "neutral",
    "prepare",
    "problems_csv",
    "problems_page",
    "sheet_with_problems",
    "stamped",
    "surplus",
]
