"""Widgets that several pages share, and each page's larger pieces."""
