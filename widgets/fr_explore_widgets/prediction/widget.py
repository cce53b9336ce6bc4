"""`Prediction`: commit a guess, then see the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import traitlets

from ..core.base import LabWidget, WidgetError, reply_tag
from ..core.page import Offline
from ..core.picture import Part, Plot
from .codes import ClassGuesses, code_of, read_codes
from .kinds import VERSION, check_state, make_kind

__all__ = ["Prediction"]

GUESS, TRUTH = "#5c5c5c", "#17708c"


class Prediction(LabWidget):
    """A question whose answer is revealed after a guess is committed; both are shown side by side with a score.

    Parameters
    ----------
    question : the text of the question. kind : "number", "choice" or "ranking" (of `options`; names of attributes get
        their colours) or "curve" (drawn over `x`, from `low` to `high`, 0 to 1 by default).
    ascending : for a ranking: a truth given as values has the smallest on top, not the largest.
    unit, low, high : for a number. x_label, y_label : for a curve.
    truth : the answer or a function that returns it, kept in the kernel, for the Reveal button; or use `reveal`.
    state : the `state` of an earlier prediction, plain JSON, to restore it.

    >>> p = Prediction("Which attribute moves the embedding most?", "ranking", ["age", "hue", "contrast"])
    >>> p.commit(["age", "hue", "contrast"])    # the same as the button, for notebooks that run unattended
    >>> p.reveal({"age": 0.6, "hue": 0.1, "contrast": 0.2})
    {'kendall_tau': 0.33, 'swaps': 1, 'pairs': 3}

    A committed guess cannot be changed: `retry` opens a new try, which is counted; `skip` gives up the guess. For a
    class, `code` is the first guess in a few letters, and `read_codes` gathers the guesses of all. Raises ValueError
    for an invalid guess or truth, WidgetError for a reveal without a guess and for a second commit.
    """

    files = "prediction"

    setup = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        question: str,
        kind: str = "number",
        options: Sequence[str] | None = None,
        *,
        ascending: bool = False,
        unit: str = "",
        low: float | None = None,
        high: float | None = None,
        x: Sequence[float] | None = None,
        x_label: str = "x",
        y_label: str = "",
        truth: Any = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._given = {"question": question, "kind": kind, "options": options, "ascending": ascending, "unit": unit}
        self._given |= {"low": low, "high": high, "x": x, "x_label": x_label, "y_label": y_label}
        self._kind = make_kind(kind, options, ascending, (unit, low, high), x, (x_label, y_label))
        self._answer: Any | Callable[[], Any] = truth
        setup = {"question": question, "has_truth": truth is not None, **self._kind.setup()}
        new = {"version": VERSION, "tries": [], "open": True, "skipped": False, "truth": None}
        first = new if state is None else dict(state)
        super().__init__(setup=setup, state=first)

    def fresh(self) -> Prediction:
        """The same question without a guess, with the truth if it is known: its page scores the readers' guesses."""
        truth = self.state["truth"]
        if isinstance(truth, Mapping):
            order, values = truth["order"], truth["values"]
            truth = order if values is None else dict(zip(order, values, strict=True))
        return Prediction(**self._given, truth=self._answer if truth is None else truth)

    @property
    def guess(self) -> Any:
        """The committed guess; None while a try is open and if the guess was skipped."""
        state = self.state
        return None if state["open"] or not state["tries"] else state["tries"][-1]["guess"]

    @property
    def answered(self) -> bool:
        """Whether a guess was ever committed or skipped, so that the truth may be shown."""
        return bool(self.state["tries"]) or self.state["skipped"]

    @property
    def code(self) -> str | None:
        """The first guess as a short code, for `read_codes`; None without a guess made before the truth was shown."""
        first = next(iter(self.state["tries"]), None)
        return None if first is None or first["after_reveal"] else code_of(self.setup, first["guess"])

    @property
    def tries(self) -> int:
        """The number of committed guesses."""
        return len(self.state["tries"])

    @property
    def score(self) -> dict[str, Any] | None:
        """The score of the committed guess; None before the reveal or while a try is open."""
        truth = self.state["truth"]
        return None if self.guess is None or truth is None else self._kind.score(self.guess, truth)

    def commit(self, guess: Any) -> None:
        """Commit a guess: a number, the options in an order, or the values of a curve."""
        with self._lock:
            if not self.state["open"]:
                self._refuse("A guess is already committed.", "p.retry() opens a new try, which is counted.")
            seen = self.state["truth"] is not None or self.state["skipped"]
            one = {"guess": self._kind.guess(guess), "after_reveal": seen}
            self._change(tries=[*self.state["tries"], one], open=False)

    def skip(self) -> None:
        """Give up the guess and see the truth; a guess committed later counts as made after it was shown."""
        with self._lock:
            if self.answered:
                self._refuse("A guess is already committed.", "p.reveal() shows the truth.")
            self._change(open=False, skipped=True)
            if self._answer is not None:
                self.reveal()

    def read_codes(self, text: str) -> ClassGuesses:
        """The guesses in a text that contains the codes of a class, and the codes that could not be read.

        >>> p.read_codes("Ann: K7Q2-9FXM, Ben: K7Q4-1ZHA").guesses
        [0.25, 0.6]
        """
        return read_codes(self.setup, text)

    def retry(self) -> None:
        """Open a new try beside the committed ones."""
        with self._lock:
            if self.state["open"]:
                self._refuse("A try is already open.", "Commit a guess first.")
            self._change(open=True)

    def reveal(self, truth: Any = None) -> dict[str, Any]:
        """Show the truth beside the guess and return the score; a ranking also takes a mapping or Series of values."""
        with self._lock:
            if self.state["open"]:
                self._refuse(
                    "No guess is committed, so nothing is revealed.", "Commit a guess in the widget first, or p.skip()."
                )
            answer = self._answer if truth is None else truth
            answer = answer() if callable(answer) else answer
            if answer is None:
                self._refuse("There is no truth to reveal.", "Pass it: p.reveal(...).")
            self._change(truth=self._kind.truth(answer))
            return dict(self.score or {})

    def _tables(self) -> dict[str, pd.DataFrame]:
        """One row per try and part of the guess: the number, each place of a ranking, each x of a curve."""
        setup, rows = self.setup, []
        parts = setup.get("x") or range(1, 1 + (len(setup["options"]) if setup["kind"] == "ranking" else 1))
        column = {"curve": "x", "ranking": "place"}.get(setup["kind"], "part")
        truth = self.state["truth"]
        known = truth["order"] if setup["kind"] == "ranking" and truth else truth
        for number, one in enumerate(self.state["tries"], 1):
            guess = one["guess"] if isinstance(one["guess"], list) else [one["guess"]]
            true = known if isinstance(known, list) else [known] * len(guess)
            for part, g, t in zip(parts, guess, true, strict=True):
                after = one["after_reveal"]
                rows.append({"try": number, "after_reveal": after, column: part, "guess": g, "truth": t})
        return {"tries": pd.DataFrame(rows, columns=["try", "after_reveal", column, "guess", "truth"])}

    def _words(self) -> str:
        waiting = f"{self.tries} committed, nothing revealed yet." if self.tries else "No guess yet."
        return f"{self.setup['question']} {[waiting, *self.result.get('words', [])][-1]}"

    def _picture(self, kept: bool) -> Sequence[Sequence[Part]]:
        guess, truth, setup = self.guess, self.state["truth"], self.setup
        if guess is None or setup["kind"] in ("number", "choice"):
            return [[self._words()]]
        if setup["kind"] == "ranking":
            labels = dict(zip(setup["options"], setup["labels"], strict=True))
            orders = {"Your guess": guess} | ({"The truth": truth["order"]} if truth else {})
            lists = [
                "\n".join([head, *(f"{i}. {labels[name]}" for i, name in enumerate(order, 1))])
                for head, order in orders.items()
            ]
            return [[self._words()], lists]
        lines = [(setup["x"], guess, GUESS, "your guess")]
        if truth:
            known = [(x, y) for x, y in zip(setup["x"], truth, strict=True) if y is not None]
            lines.append(([x for x, _ in known], [y for _, y in known], TRUTH, "the truth"))
        axes = {"x_label": setup["x_label"], "y_label": setup["y_label"]}
        return [[self._words()], [Plot(lines=lines, low=setup["low"], high=setup["high"], **axes)]]

    def _offline(self, **resolution: Any) -> Offline:
        """The page works without a kernel; a known truth is stored in its file, encoded."""
        if resolution:
            raise ValueError(f"{', '.join(resolution)}: a prediction has no resolution to set.")
        answer = self._answer() if callable(self._answer) else self._answer
        # base64 in the file: not a secret, but not readable at a glance before the guess
        return Offline(traits={} if answer is None else {"truth": json.dumps(self._kind.truth(answer)).encode()})

    def _change(self, **parts: Any) -> None:
        self.state, self.error = dict(self.state) | parts, {}

    def _refuse(self, what: str, todo: str) -> None:
        self.error = {"what": what, "todo": todo}
        raise WidgetError(what, todo)

    def _handle(self, request: Mapping[str, Any]) -> None:
        try:
            match request["action"]:
                case "commit":
                    self.commit(request["guess"])
                case "retry":
                    self.retry()
                case "reveal":
                    self.reveal()
                case "skip":
                    self.skip()
        except ValueError as problem:
            raise WidgetError("The guess is not valid.", "Change it and commit again.") from problem
        self.reply = reply_tag(request)

    @traitlets.validate("state")
    def _check_state(self, proposal: Mapping[str, Any]) -> dict[str, Any]:
        return check_state(self._kind, proposal["value"])

    @traitlets.observe("state")
    def _publish_result(self, change: Mapping[str, Any]) -> None:
        state, words = change["new"], []
        if state["truth"] is not None:
            words = [self._kind.words(one["guess"], state["truth"]) for one in state["tries"]]
        self.result = {"words": words, "score": self.score or {}}
