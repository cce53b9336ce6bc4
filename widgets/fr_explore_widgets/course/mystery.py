"""`never_saw`: a network without its name; slide a face through it, and say what its training never varied."""

from __future__ import annotations

import dataclasses
import secrets

from IPython.display import display

import fr_explore as fr

from ..attribute.widget import AttributeExplorer
from ..prediction.widget import Prediction

__all__ = ["Mystery", "never_saw"]

NOTHING = "nothing: everything varied"
PREFIX = "controlled/fixed-"
UNSAID = "not said before the reveal"


class Mystery:
    """An anonymous network: `explorer` to try it, `accusation` to commit a guess; `network` names it afterwards."""

    def __init__(self, number: int, identities: int, size: int) -> None:
        fixed = sorted(name.removeprefix(PREFIX) for name in fr.list_models().index if name.startswith(PREFIX))
        options = [*fixed, NOTHING]
        self.number, self._answer = number, options[_shuffled(number, len(options))]
        self._name = "controlled/all-varied" if self._answer == NOTHING else f"{PREFIX}{self._answer}"
        model = fr.load_model(self._name)
        # the name, the results and the citation would tell
        model.card = dataclasses.replace(
            model.card, name=f"network-{number}", title=f"Network {number}", trained_on=UNSAID, accuracy=UNSAID,
            weights=UNSAID,
        )  # fmt: skip
        self._model = model
        self.explorer = AttributeExplorer(fr.Avatars(identities=identities, seed=5), model, size=size, variations=2)
        question = f"Network {number}: what did its training never show it?"
        self.accusation = Prediction(question, "choice", options, truth=self._answer)

    @property
    def network(self) -> str:
        """The name of the network, for `fr.load_model`; RuntimeError before the accusation."""
        if not self.accusation.answered:
            raise RuntimeError("the network keeps its name until you have accused an attribute, or pressed “Show me”.")
        return self._name

    def __repr__(self) -> str:
        return f"Mystery(number={self.number})"

    def _ipython_display_(self) -> None:
        display(self.explorer, self.accusation)


def never_saw(number: int | None = None, *, identities: int = 4, size: int = 80) -> Mystery:
    """A network trained with one attribute held constant, or with none, and a question: which one?

    Move one attribute at a time, there and back, for several people. A network depends on what never varied within a
    person during its training, so the guilty attribute moves a face far compared with other people.

    number : the same number gives everybody the same network, as in a class; by default a random one.

    >>> game = never_saw(7)
    >>> game.accusation.commit("hue")
    """
    return Mystery(secrets.randbelow(1000) if number is None else number, identities, size)


def _shuffled(number: int, count: int) -> int:
    """A choice that neighbouring numbers do not give away (multiplication by a prime, then the high bits)."""
    return (number * 2_654_435_761 % 2**32) * count >> 32
