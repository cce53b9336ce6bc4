"""`Avatars`, a parametric head as a face source; the entry point is `source.py`."""
