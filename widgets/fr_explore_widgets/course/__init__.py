"""What the course's notebooks need besides the library: self-checks, measured tables, what waits for a
guess, rows of faces, snapshots.

`check("01a", answer)` judges the answer to exercise a of notebook 01. It never raises because of the answer: it says
"not yet" for a stub, gives a hint for a wrong answer, and explains what the right one means. The checks of notebook NN
are in `checks_NN.py` in this folder.
"""

from .checking import Check, Feedback, check
from .flips import Flips
from .measured import measured
from .mystery import Mystery, never_saw
from .showing import Figure, show_faces, snapshots
from .waiting import after, reveal

__all__ = [
    "Check",
    "Feedback",
    "Figure",
    "Flips",
    "Mystery",
    "after",
    "check",
    "measured",
    "never_saw",
    "reveal",
    "show_faces",
    "snapshots",
]
