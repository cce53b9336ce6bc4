"""`Avatars`: a parametric head as a face source. `source.py` is the entry point."""
