"""`PhotoInput` and `PhotoExplorer`: your own pictures."""
