"""Self-checks of the exercises: judge an answer by its results, and give a hint that says why it is wrong."""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .comparing import progress, same, wrong_form

__all__ = ["Check", "Feedback", "check", "choice"]

LOOKS = {"right": ("✓", "#2a78b8"), "not yet": ("…", "#808080"), "wrong": ("→", "#b8741a")}


@dataclass(frozen=True, slots=True)
class Feedback:
    """The verdict of a check, displayed as one line in the notebook."""

    status: Literal["right", "not yet", "wrong"]
    text: str

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
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
class Check:
    """The rule that judges the answers to one exercise.

    Parameters
    ----------
    truth : computes the right result for one case, if possible in another way than the notebook's solution.
    praise : shown for a right answer: what it means.
    otherwise : shown for any other wrong answer. It must not contain the solution.
    cases : returns the argument tuples on which to test a function. None: the only case is what the notebook passes to
        `check` after the answer. An answer that is not a function is compared with the truth of each case.
    mistakes : for each typical mistake the hint that explains it, and a function that makes it: it returns the wrong
        result for one case. They are tried in this order.
    reads : extracts what counts from a result and its case, such as the number of pairs that a threshold accepts; None
        for the result itself. `truth` and `mistakes` return values of this kind.
    tolerance : relative tolerance for numbers.
    """

    truth: Callable[..., Any]
    praise: str
    otherwise: str
    cases: Callable[[], Iterable[tuple]] | None = None
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    reads: Callable[..., Any] | None = None
    tolerance: float = 1e-4

    def judge(self, answer: Any, context: tuple = ()) -> Feedback:
        """Feedback on a function or a value; an exception raised by the answer becomes feedback too."""
        if answer is ... or answer is None:
            return Feedback("not yet", "Not yet: replace the three dots with your answer, then run this cell again.")
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
        """Fresh cases for each use: an answer that changes its arguments must not change the truth."""
        return [context] if self.cases is None else list(self.cases())

    def _hint(self, results: list[Any], expected: list[Any], context: tuple) -> str:
        for hint, mistake in self.mistakes.items():
            wrong = [mistake(*case) for case in self._cases(context)]
            if all(same(got, bad, self.tolerance) for got, bad in zip(results, wrong, strict=True)):
                return hint
        form = next(filter(None, map(wrong_form, results, expected)), None)
        return form or f"{progress(results, expected)}{self.otherwise}"


def choice(right: str, praise: str, **hints: str) -> Check:
    """The check of a multiple-choice exercise: the right letter, and a hint for each wrong letter."""
    return Check(
        cases=lambda: [()],
        truth=lambda: right,
        praise=praise,
        otherwise=f"Answer with one of the letters {', '.join(sorted([right, *hints]))}, as a string.",
        mistakes={hint: lambda letter=letter: letter for letter, hint in hints.items()},
    )


def check(exercise: str, answer: Any, *context: Any) -> Feedback:
    """Judge the answer, a function or a value, to one exercise, such as "01a".

    context : what the answer is about, such as the table from which it was read, if the exercise needs it.

    Raises ValueError for an unknown exercise.
    """
    number, letter = exercise[:2], exercise[2:]
    try:
        known = importlib.import_module(f".checks_{number}", __package__).CHECKS
    except ModuleNotFoundError:
        known = {}
    if letter not in known:
        choices = ", ".join(f"{number}{name}" for name in known)
        advice = f"choose from {choices}" if known else f"notebook {number} has no exercises"
        raise ValueError(f"there is no exercise {exercise!r}: {advice}.")
    return known[letter].judge(answer, context)
