"""What the Python halves of all widgets share."""
