"""What the notebooks use beside the library: self-checks, the reveal of a prediction, rows of faces, snapshots.

`check("01a", answer)` looks at the answer to exercise a of notebook 01. It never raises: "not yet" for a stub, a hint
for a wrong answer, and what the right one means. The checks of notebook NN stand in `checks_NN.py`, beside this file.
"""

from .checking import Check, Feedback, Mistake, check
from .showing import Figure, reveal, show_faces, snapshots

__all__ = ["Check", "Feedback", "Figure", "Mistake", "check", "reveal", "show_faces", "snapshots"]
