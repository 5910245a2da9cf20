"""3 Check: every problem of the whole sheet, grouped and counted, before anything is paid."""

from valar_ui import session
from valar_ui.parts import causes, checking, costs, frame, mended, models, steps

frame.heading("Check", "Everything that could go wrong, before anything is sent.")

draft, reading, recipe, mends = checking.mapped("There is no spreadsheet to check yet.")
prepared = checking.checked(draft, reading, recipe, mends)
session.remember_mapping(draft)
checking.changed_elsewhere()
plan = checking.label_and_plan(draft, prepared)
checking.totals(prepared, plan)
costs.table(prepared, recipe)
models.unlisted(draft, recipe, prepared)
mended.listed(draft, reading, prepared, mends)
checking.compared(draft, prepared)
causes.overview(causes.Checked(draft, reading, recipe, prepared, mends))
checking.downloads_row(draft, reading, prepared, mends)
_, label_flaw = checking.label_input(draft, prepared)
frame.way_on("Next: submit", "submit", why_not=checking.why_not(prepared, plan, label_flaw))
steps.keep_marks()
