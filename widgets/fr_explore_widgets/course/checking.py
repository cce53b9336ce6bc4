"""Self-checks of the exercises: an answer is judged by what it does, and a wrong one gets a hint that says why."""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from .comparing import describe, differs, same

__all__ = ["Check", "Feedback", "Mistake", "check"]

LOOKS = {"right": ("✓", "#2a78b8"), "not yet": ("…", "#808080"), "wrong": ("→", "#b8741a")}


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a check says; shows itself as one calm line in the notebook."""

    status: Literal["right", "not yet", "wrong"]
    text: str

    @property
    def passed(self) -> bool:
        """Whether the answer was right."""
        return self.status == "right"

    def __repr__(self) -> str:
        return f"{LOOKS[self.status][0]} {self.text}"

    def _repr_html_(self) -> str:
        mark, color = LOOKS[self.status]
        return (
            f'<div role="status" style="border-left: 4px solid {color}; padding: 4px 12px; max-width: 46em; '
            'text-wrap: pretty">'
            f'<span aria-hidden="true" style="color: {color}; font-weight: 700">{mark}</span> '
            f"{html.escape(self.text)}</div>"
        )


@dataclass(frozen=True, slots=True)
class Mistake:
    """A typical wrong way to answer: `does` gives its result for a case, `hint` says what went wrong."""

    does: Callable[..., Any]
    hint: str


@dataclass(frozen=True, slots=True)
class Check:
    """How one exercise is judged.

    Parameters
    ----------
    truth : gives the right result for one case; computed another way than the notebook's solution where there is one.
    praise : what the right answer means; shown with it.
    otherwise : the hint for a wrong answer of no known kind. It must not contain the solution.
    cases : gives the argument tuples that a function is tried on; None: the one case is what the notebook passes
        to `check` after the answer. A plain value is its own answer to the one case.
    mistakes : typical ones, tried in this order.
    reads : what of a result counts, from the result and its case, such as how many pairs a threshold lets pass; None:
        the result itself. `truth` and `mistakes` give that.
    tolerance : relative, of numbers.
    """

    truth: Callable[..., Any]
    praise: str
    otherwise: str
    cases: Callable[[], Iterable[tuple]] | None = None
    mistakes: tuple[Mistake, ...] = ()
    reads: Callable[..., Any] | None = None
    tolerance: float = 1e-4

    def judge(self, answer: Any, context: tuple = ()) -> Feedback:
        """Feedback on a function or a value; never raises for what the answer does."""
        if answer is ... or answer is None:
            return Feedback("not yet", "Not yet: put your answer in the place of the three dots, then run this again.")
        results: list[Any] = []
        try:
            for case in self._cases(context):
                result = answer(*case) if callable(answer) else answer
                results.append(result if self.reads is None or result is None else self.reads(result, *case))
        except NotImplementedError as stub:
            return Feedback("not yet", f"Not yet: {stub}")
        except Exception as problem:
            return Feedback("wrong", f"Your code stopped with {type(problem).__name__}: {problem}")
        expected = [self.truth(*case) for case in self._cases(context)]
        if all(same(got, right, self.tolerance) for got, right in zip(results, expected, strict=True)):
            return Feedback("right", self.praise)
        return Feedback("wrong", self._hint(results, expected, context))

    def _cases(self, context: tuple) -> list[tuple]:
        """The cases anew each time, so that an answer that changes its arguments harms only itself."""
        return [context] if self.cases is None else list(self.cases())

    def _hint(self, results: list[Any], expected: list[Any], context: tuple) -> str:
        for mistake in self.mistakes:
            wrong = [mistake.does(*case) for case in self._cases(context)]
            if all(same(got, bad, self.tolerance) for got, bad in zip(results, wrong, strict=True)):
                return mistake.hint
        form = next(filter(None, map(differs, results, expected)), None)
        return form or f"{describe(results, expected)}{self.otherwise}"


def check(exercise: str, answer: Any, *context: Any) -> Feedback:
    """Look at the answer to one exercise, such as "01a": a function, or a value.

    context : what the answer is about, such as the table that it was read from, where the exercise says so.

    Raises ValueError for an exercise that does not exist.
    """
    number, letter = exercise[:2], exercise[2:]
    try:
        known = importlib.import_module(f".checks_{number}", __package__).CHECKS
    except ModuleNotFoundError:
        known = {}
    if letter not in known:
        there = ", ".join(f"{number}{name}" for name in known) or f"none in a notebook {number}"
        raise ValueError(f"there is no exercise {exercise!r}: choose from {there}.")
    return known[letter].judge(answer, context)
