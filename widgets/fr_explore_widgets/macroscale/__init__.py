"""`MacroscaleExplorer`: which labels shape the distances between people."""
