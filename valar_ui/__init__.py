"""Compose batches for the Valar Batches API from a spreadsheet; everything but the pages."""
