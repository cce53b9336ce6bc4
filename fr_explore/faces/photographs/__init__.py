"""`Photographs`: real pictures as a face source. `source.py` is the entry point."""
