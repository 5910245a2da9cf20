"""A file becomes a `Table`, or an `UnreadableFile` that says why; one module a format, one that sniffs."""

from valar_ui.readers.reading import Reading, ReadOptions, Sheet, UnreadableFile

__all__ = ["ReadOptions", "Reading", "Sheet", "UnreadableFile"]
