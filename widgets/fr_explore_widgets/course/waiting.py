"""What waits for a guess: the truth of a prediction, and the outputs of the cells below it.

A cell below a prediction runs as any other, so that later cells find its names, but its outputs would give the answer
away: *Run All* would show them before anybody has guessed. So they are kept back, and take the place of a line that
says so when the guess is committed or skipped. No cell needs to run again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output

from .checking import Feedback

__all__ = ["WAITS", "Waiting", "after", "reveal"]

WAITS = "This waits for your guess: commit one in the widget above, or press “Show me” there."
Bundle = tuple[dict[str, Any], dict[str, Any]]  # data by MIME type, and their metadata


def reveal(prediction: Any, truth: Any) -> Feedback:
    """Show the truth in a `Prediction` and return its score in words; before a guess, do so when it is committed."""
    if prediction.answered:
        return _revealed(prediction, truth)
    name = uuid.uuid4().hex

    def show() -> None:
        found = _revealed(prediction, truth)
        _publish({"text/plain": repr(found), "text/html": found._repr_html_()}, {}, name)

    _when_answered(prediction, show)
    return _Updated("not yet", WAITS, name)


def _revealed(prediction: Any, truth: Any) -> Feedback:
    prediction.reveal(truth)
    words = prediction.result["words"]
    return Feedback("right", words[-1] if words else "The widget above shows the truth.")


def after(prediction: Any, *shown: Any) -> Waiting | None:
    """Show something once the guess is committed or skipped: the given objects, or what a `with` block shows.

    >>> after(guess, table.round(2))
    >>> with after(guess):
    ...     print(f"{truth:.2f}")

    After an answer, both show their outputs as always.
    """
    waiting = Waiting(prediction)
    if not shown:
        return waiting
    with waiting:
        for one in shown:
            display(one)
    return None


class Waiting:
    """The block of a `with` statement whose outputs wait for a prediction."""

    def __init__(self, prediction: Any) -> None:
        self._prediction = prediction
        self._capture: capture_output | None = None
        self._kept: Any = None

    def __enter__(self) -> None:
        if not self._prediction.answered:
            self._capture = capture_output(stderr=False)
            self._kept = self._capture.__enter__()
            if self._capture.shell is not None:
                _let_through(self._capture.shell.display_pub, self._capture.save_display_pub)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._capture is not None:
            self._capture.__exit__(kind, problem, trace)
            if kind is None:
                _withhold(self._prediction, _bundles(self._kept))


@dataclass(frozen=True, slots=True)
class _Updated(Feedback):
    """Feedback whose place another output takes later."""

    name: str

    def __repr__(self) -> str:
        return Feedback.__repr__(self)

    def _ipython_display_(self) -> None:
        display(Feedback(self.status, self.text), display_id=self.name)


class _Nothing:
    """An output that takes no room: the place of a cell's second output."""

    def _repr_html_(self) -> str:
        return "<span></span>"

    def __repr__(self) -> str:
        return ""


def _when_answered(prediction: Any, do: Callable[[], None]) -> None:
    waits = True

    def look(change: dict[str, Any]) -> None:
        nonlocal waits
        if waits and prediction.answered:
            waits = False  # what another cell does now may change the state again, while this change is still announced
            prediction.unobserve(look, "state")
            do()

    prediction.observe(look, "state")
    look({})  # a widget's messages arrive in another thread: the answer may have come while the cell ran


def _let_through(capturing: Any, publisher: Any) -> None:
    """Let the messages of widgets pass while a cell's outputs are kept back.

    JupyterLab has them handled in another thread meanwhile. The kernel gives the parent of each to the publisher of
    the moment: without `set_parent`, the message would be lost, and the cell would show the error.
    """
    capturing.behind = publisher
    if hasattr(publisher, "set_parent"):
        capturing.set_parent = publisher.set_parent


def _withhold(prediction: Any, bundles: Sequence[Bundle]) -> None:
    """Show a line in the place of outputs, and the outputs once the prediction is answered."""
    names = [uuid.uuid4().hex for _ in bundles]
    for place, name in enumerate(names):
        display(Feedback("not yet", WAITS) if place == 0 else _Nothing(), display_id=name)

    def show() -> None:
        for name, (data, metadata) in zip(names, bundles, strict=True):
            _publish(data, metadata, name)

    _when_answered(prediction, show)


def _bundles(kept: Any) -> list[Bundle]:
    """Captured outputs, printed text first; an output that was updated counts once."""
    found: dict[str, Bundle] = {}
    if kept.stdout:
        found["text"] = {"text/plain": kept.stdout.rstrip("\n")}, {}
    for number, output in enumerate(kept.outputs):
        name = (output.transient or {}).get("display_id", f"output {number}")
        found[name] = output.data, output.metadata or {}
    return list(found.values())


def _publish(data: dict[str, Any], metadata: dict[str, Any], name: str) -> None:
    """Put an output in the place of the one shown under a name; without IPython there is none."""
    if InteractiveShell.initialized():
        publisher = InteractiveShell.instance().display_pub
        publisher = getattr(publisher, "behind", publisher)  # while another cell's outputs are kept back
        publisher.publish(data=data, metadata=metadata, transient={"display_id": name}, update=True)
