"""The microscale: fields of directions, neighborhoods, and the alignment energy (`alignment.py`)."""
