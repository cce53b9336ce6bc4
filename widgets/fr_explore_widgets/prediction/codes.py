"""The class's guesses: a committed guess as a short code, and the guesses in a text full of codes. No server is needed.

A code such as `K7Q2-9FXM` has digits of base 32 without I, L, O and U: two of a hash of the question, those of the
guess, and two that make the whole number 1 modulo 1021. As 1021 is prime and larger than 31 * 32, any single wrong
digit and any exchange of two neighbours is found. `codes.js` does the same in the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

__all__ = ["ClassGuesses", "code_of", "guess_of", "read_codes"]

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ALIKE = str.maketrans("ILO", "110")
PRIME, STEPS = 1021, 31  # STEPS: of a curve, from the lower to the upper end of its axis
SMALLEST, LARGEST = -16, 15  # powers of ten of a number


@dataclass(frozen=True)
class ClassGuesses:
    """The guesses of a class, and the codes that could not be read, each with the reason."""

    guesses: list[Any] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)


def code_of(setup: Mapping[str, Any], guess: Any) -> str:
    """The code of a guess, in groups of four digits."""
    number = (_tag(setup) * 32 ** _width(setup) + _number(setup, guess)) * 1024
    number += (1 - number) % PRIME
    text = "".join(DIGITS[number >> 5 * i & 31] for i in reversed(range(_length(setup))))
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def guess_of(setup: Mapping[str, Any], code: str) -> Any:
    """The guess in a code: a number with four digits, an order, or a curve in steps of 1/31 of its axis.

    Raises ValueError for a code with a typing error and for a code of another question.
    """
    digits = _digits(code)
    if len(digits) != _length(setup) or not set(digits) <= set(DIGITS):
        raise ValueError(f"{code!r} is not a code: it needs {_length(setup)} letters and digits.")
    number = 0
    for digit in digits:
        number = number * 32 + DIGITS.index(digit)
    if number % PRIME != 1:
        raise ValueError(f"{code!r} has a typing error: compare it with the widget that shows it.")
    tag, rest = divmod(number >> 10, 32 ** _width(setup))
    if tag != _tag(setup):
        raise ValueError(f"{code!r} is the code of another question.")
    return _guess(setup, rest, code)


def read_codes(setup: Mapping[str, Any], text: str) -> ClassGuesses:
    """All guesses in a text, such as the messages of a chat; names and other words are skipped."""
    found, whole = ClassGuesses(), _length(setup)
    form = [min(4, whole - i) for i in range(0, whole, 4)]
    for word in re.findall(r"[A-Za-z0-9-]+", text):
        if len(_digits(word)) != whole:
            continue
        try:
            found.guesses.append(guess_of(setup, word))
        except ValueError as problem:
            # any other word of this length is just a word
            if re.search(r"\d", word) or (word == word.upper() and [len(p) for p in word.split("-")] == form):
                found.unread[word] = str(problem)
    return found


def _digits(code: str) -> str:
    return code.upper().replace("-", "").translate(ALIKE)


def _tag(setup: Mapping[str, Any]) -> int:
    """Ten bits of the FNV-1a hash of what makes the question."""
    ends = [*setup.get("x", [])][:: max(len(setup.get("x", [])) - 1, 1)]
    numbers = ["" if v is None else f"{v:.6g}" for v in (setup.get("low"), setup.get("high"), *ends)]
    parts = [setup["question"], setup["kind"], setup.get("unit", ""), *setup.get("options", []), *numbers]
    found = 0x811C9DC5
    for byte in "\n".join(parts).encode():
        found = (found ^ byte) * 0x01000193 & 0xFFFFFFFF
    return found >> 22


def _width(setup: Mapping[str, Any]) -> int:
    """Digits for the guess."""
    if setup["kind"] == "curve":
        return len(setup["x"])
    count = len(setup.get("options", ()))
    largest = {"number": 32 * 20_000, "choice": count, "ranking": math.factorial(count)}[setup["kind"]] - 1
    return max(1, -(-largest.bit_length() // 5))


def _length(setup: Mapping[str, Any]) -> int:
    return _width(setup) + 4


def _number(setup: Mapping[str, Any], guess: Any) -> int:
    if setup["kind"] == "number":
        return _of_decimal(float(guess))
    if setup["kind"] == "choice":
        return setup["options"].index(guess)
    if setup["kind"] == "curve":
        low, high, number = setup["low"], setup["high"], 0
        for value in guess:
            number = number * 32 + math.floor(STEPS * (value - low) / (high - low) + 0.5)
        return number
    left, number = list(setup["options"]), 0
    for name in guess:
        number = number * len(left) + left.index(name)
        left.remove(name)
    return number


def _guess(setup: Mapping[str, Any], number: int, code: str) -> Any:
    if setup["kind"] == "curve":
        steps = [number >> 5 * i & 31 for i in reversed(range(len(setup["x"])))]
        return [setup["low"] + (setup["high"] - setup["low"]) * step / STEPS for step in steps]
    if setup["kind"] == "choice" and number < len(setup["options"]):
        return setup["options"][number]
    if setup["kind"] == "ranking":
        left, places = list(setup["options"]), []
        for count in range(1, len(left) + 1):
            number, place = divmod(number, count)
            places.append(place)
        if number:
            raise ValueError(f"{code!r} is the code of another question.")
        return [left.pop(place) for place in reversed(places)]
    power, mantissa = divmod(number, 20_000)
    return float(f"{(mantissa - 10_000) / 1000:.3f}e{power + SMALLEST}")


def _of_decimal(value: float) -> int:
    """Power of ten and four digits of a number, halves rounded away from zero as in JavaScript's toExponential."""
    if value == 0 or abs(value) < 10.0**SMALLEST:
        return 10_000 - SMALLEST * 20_000
    exact = Decimal(abs(value))
    power = exact.adjusted()
    mantissa = int(exact.scaleb(3 - power).quantize(Decimal(1), ROUND_HALF_UP))
    if mantissa == 10_000:
        mantissa, power = 1000, power + 1
    if power > LARGEST:
        mantissa, power = 9999, LARGEST
    return (power - SMALLEST) * 20_000 + 10_000 + (mantissa if value > 0 else -mantissa)
