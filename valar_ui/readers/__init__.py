"""A file becomes a `Table`, or an `UnreadableFile` that says why; one module a format, one that sniffs."""

from valar_ui.readers.reading import Footer, Reading, ReadOptions, Sheet, UnreadableFile
from valar_ui.readers.sniff import read

__all__ = ["Footer", "ReadOptions", "Reading", "Sheet", "UnreadableFile", "read"]
