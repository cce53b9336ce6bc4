"""Guess what it never saw: the network has no name before the accusation, and the right one after it."""

import json

import numpy as np
import pytest

import fr_explore as fr
from fr_explore_widgets import course
from fr_explore_widgets.course.mystery import NOTHING, PREFIX, _shuffled


def test_nothing_names_the_network_before_the_accusation():
    game = course.never_saw(3, identities=2, size=48)
    with pytest.raises(RuntimeError, match="keeps its name until you have accused an attribute"):
        _ = game.network
    shown = json.dumps([game.explorer.setup, game.accusation.setup, game.accusation.state], default=str)
    words = [PREFIX, "all-varied", "neutral in every training picture", "tied"]
    assert [word for word in words if word in shown + repr(game)] == []
    game.accusation.commit(NOTHING)
    game.accusation.reveal()
    answer = game.accusation.state["truth"]
    assert game.network == ("controlled/all-varied" if answer == NOTHING else f"{PREFIX}{answer}")
    known = fr.load_model(game.network)
    face = fr.Avatars(identities=1, seed=0).render(0, size=64)
    np.testing.assert_array_equal(game._model.embed(face), known.embed(face))
    game.explorer.close()


def test_a_number_gives_all_students_the_same_network_and_all_networks_occur():
    assert len({_shuffled(number, 5) for number in range(1, 20)}) == 5
    assert {_shuffled(number, 5) for number in range(1000)} == set(range(5))
    counts = [sum(_shuffled(number, 5) == k for number in range(1000)) for k in range(5)]
    assert min(counts) > 150
