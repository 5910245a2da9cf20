"""Batches: every batch id ever made here, this session's on top."""

from valar_ui.parts import frame, history

frame.heading("Batches", "Every batch sent from here. An id in this list is never lost.")

history.table()
