"""What the course's notebooks need besides the library: self-checks, reveals of predictions, rows of faces, snapshots.

`check("01a", answer)` judges the answer to exercise a of notebook 01. It never raises because of the answer: it says
"not yet" for a stub, gives a hint for a wrong answer, and explains what the right one means. The checks of notebook NN
are in `checks_NN.py` in this folder.
"""

from .checking import Check, Feedback, check
from .showing import Figure, reveal, show_faces, snapshots

__all__ = ["Check", "Feedback", "Figure", "check", "reveal", "show_faces", "snapshots"]
