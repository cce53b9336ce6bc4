"""The page of a `PhotoExplorer`: faces from the camera or from files, judged in a browser without a kernel."""
