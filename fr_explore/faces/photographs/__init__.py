"""`Photographs`, real pictures as a face source; the entry point is `source.py`."""
