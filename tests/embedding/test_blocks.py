"""Blocks of faces: the next part is read while the network works on this one, and both share the cores."""

import threading

import numpy as np
import pytest
import torch
from toy import Squares, toy_model

from fr_explore.embedding.blocks import Block, Settings, embed_blocks

RECIPES = [{"age": float(age)} for age in range(20, 60)]


def rows(model, read):
    settings = Settings(model, model.fingerprint, 16, 8, cache=False)
    (result,) = embed_blocks(settings, [Block(RECIPES, None, "toy")], read)
    return result


def faces_of(recipes):
    return Squares().render_batch(["a"] * len(recipes), recipes, 16)


def test_the_next_faces_are_read_while_the_network_works(monkeypatch):
    model, second, parts = toy_model(), threading.Event(), []
    expected, embed = model.embed(faces_of(RECIPES)), type(model).embed

    def read(recipes):
        parts.append(len(recipes))
        if len(parts) == 2:
            second.set()
        return faces_of(recipes)

    def patient(self, faces, *rest):
        assert second.wait(10), "the network got the first faces, and nobody reads the second ones"
        return embed(self, faces, *rest)

    monkeypatch.setattr(type(model), "embed", patient)
    vectors, problems = rows(model, read)
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert (parts, problems) == ([16, 16, 8], {})


def test_the_first_faces_of_the_next_block_are_read_while_the_network_works_on_this_one(monkeypatch):
    model, second = toy_model(), threading.Event()
    blocks = [Block(RECIPES[:10], None, "a"), Block([], None, "empty"), Block(RECIPES[10:30], None, "b")]
    expected, embed = model.embed(faces_of(RECIPES)), type(model).embed

    def read(recipes):
        if recipes[0] is RECIPES[10]:
            second.set()
        return faces_of(recipes)

    def patient(self, faces, *rest):
        assert second.wait(10), "the network got the first block, and nobody reads the second one"
        return embed(self, faces, *rest)

    monkeypatch.setattr(type(model), "embed", patient)
    settings = Settings(model, model.fingerprint, 16, 8, cache=False)
    results = list(embed_blocks(settings, blocks, read))
    assert [vectors.shape[0] for vectors, _ in results] == [10, 0, 20]
    np.testing.assert_allclose(np.concatenate([vectors for vectors, _ in results]), expected[:30], atol=1e-6)
    assert [problems for _, problems in results] == [{}, {}, {}]


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("four_threads")
def test_the_network_leaves_half_of_the_cores_and_gives_them_back():
    model, seen = toy_model(), []
    model.module.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    rows(model, faces_of)
    assert seen[-5:] == [2] * 5  # batches of 8
    assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("four_threads")
def test_an_interruption_gives_the_cores_back():
    def stop(recipes):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rows(toy_model(), stop)
    assert torch.get_num_threads() == 4
