"""The host in Python: reuse, slots, bands, threads, parameters, and what it says if something is missing."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fr_explore.attributes import ATTRIBUTES, AVATAR_ATTRIBUTES
from fr_explore.base import memory
from fr_explore.base.cores import spare_core
from fr_explore.engine import host, instance
from fr_explore.engine.blobs import pack
from fr_explore.engine.host import Renderer
from fr_explore.engine.instance import EngineError
from fr_explore.faces.avatars import source
from fr_explore.faces.avatars.head import load_head
from fr_explore.faces.avatars.packing import pack_person
from fr_explore.faces.avatars.source import Avatars, _identity, head_blob, person_blob
from fr_explore.faces.image_attributes import apply_image_attributes

SIZE = 32


@pytest.fixture(scope="module")
def fresh():
    """A picture by an instance that has forgotten the last one."""
    renderer = Renderer()

    def draw(person, values, size=SIZE):
        renderer.grain(1, 1, 0)
        return renderer.render(head_blob(), person, values, size)

    return draw


def test_the_parameters_are_those_of_the_vocabulary():
    rules = Renderer().rules
    assert set(rules) == set(AVATAR_ATTRIBUTES)
    for name, rule in rules.items():
        record = ATTRIBUTES[name]
        assert rule == (record.low, record.high, record.neutral), name


REQUESTS = st.tuples(
    st.integers(0, 2),
    st.dictionaries(st.sampled_from(AVATAR_ATTRIBUTES), st.sampled_from([0.0, 0.3, 1.0]), max_size=3),
    st.sampled_from([32, 32, 32, 45]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(REQUESTS, min_size=2, max_size=8))
def test_what_is_reused_changes_nothing(fresh, requests):
    """In any order of requests, each picture is the one that an instance without a past draws."""
    renderer = Renderer()
    for number, shares, size in requests:
        values = {
            n: ATTRIBUTES[n].low + share * (ATTRIBUTES[n].high - ATTRIBUTES[n].low) for n, share in shares.items()
        }
        got = renderer.render(head_blob(), person_blob(0, number), values, size)
        expected = fresh(person_blob(0, number), values, size)
        for ours, theirs in zip(got, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_more_people_than_slots(fresh):
    renderer = Renderer()
    for number in [*range(11), 0, 10, 5, 1]:
        pixels, _ = renderer.render(head_blob(), person_blob(0, number), {}, SIZE)
        np.testing.assert_array_equal(pixels, fresh(person_blob(0, number), {})[0])
    assert renderer.knows(person_blob(0, 1))
    assert not renderer.knows(person_blob(0, 2))


def test_pictures_and_other_heads_between_renders(fresh):
    renderer, person = Renderer(), person_blob(0, 0)
    before = renderer.render(head_blob(), person, {}, SIZE)[0]
    photograph = np.random.default_rng(0).random((9, 70, 3), dtype=np.float32)
    adjusted = renderer.adjust(photograph, {"blur": 2.0, "noise": 0.1}, 3)
    np.testing.assert_array_equal(adjusted, apply_image_attributes(photograph, {"blur": 2.0, "noise": 0.1}, 3))
    np.testing.assert_array_equal(renderer.render(head_blob(), person, {}, SIZE)[0], before)
    with pytest.raises(EngineError, match="lacks a section"):
        renderer.render(pack("HEAD", {}), person, {}, SIZE)
    np.testing.assert_array_equal(renderer.render(head_blob(), person, {}, SIZE)[0], before)


def test_mirrored_hair_is_the_mirror_image():
    """The head of a mean person is symmetric but for rounding, so only the hair decides which side is which."""
    head = load_head()
    shape = head.mean.astype(np.float64)
    pictures = []
    for mirrored in (False, True):
        person = replace(_identity(0, 0), young=shape, old=shape, style="short03", mirrored=mirrored, smile=0.0)
        pictures.append(Renderer().render(head_blob(), pack_person(head, person), {}, 96)[0])
    hair = np.s_[:30]  # rows above the face, whose paint is not symmetric
    apart = [np.abs(pictures[0] - other)[hair].mean() for other in (pictures[1][:, ::-1], pictures[1])]
    assert apart[0] < 0.15 * apart[1]


@pytest.mark.parametrize(
    ("trait", "attribute", "end"), [("beard", "facial_hair", -1), ("beard", "facial_hair", 1), ("makeup", "makeup", 1)]
)
def test_at_an_end_of_the_range_the_own_share_no_longer_matters(trait, attribute, end):
    head, renderer = load_head(), Renderer()
    person = next(p for p in (_identity(0, i) for i in range(40)) if p.style != "none")
    blobs = [pack_person(head, replace(person, **{trait: own})) for own in (0.1, 0.8)]
    few, many = (renderer.render(head_blob(), blob, {attribute: end}, SIZE)[0] for blob in blobs)
    np.testing.assert_allclose(few, many, atol=1e-6)
    few, many = (renderer.render(head_blob(), blob, {}, SIZE)[0] for blob in blobs)
    assert np.abs(few - many).max() > 0.02


def test_the_background_shows_only_where_nothing_is_in_front():
    renderer = Renderer()
    number = next(i for i in range(40) if _identity(0, i).style == "none")
    dark, light = (renderer.render(head_blob(), person_blob(0, number), {"background": t}, 64)[0] for t in (-1, 1))
    changed = np.abs(light - dark).max(axis=-1) > 1e-6
    assert 0.2 < changed.mean() < 0.8
    assert not changed[30:40, 25:39].any()  # the middle of the face


def test_the_largest_picture_and_that_its_memory_is_given_back(fresh):
    large = Avatars(1, 0).render(0, {"age": 50}, 2048)
    small = Avatars(1, 0).render(0, {"age": 50}, 128)
    np.testing.assert_allclose(large.landmarks, 16 * small.landmarks, rtol=1e-5)
    light, expected = (face.pixels**2.2 for face in (large, small))  # averages are of light
    means = light.reshape(128, 16, 128, 16, 3).mean((1, 3))
    for axis in (0, 1):  # the tent of the small picture
        means = 0.25 * (np.roll(means, 1, axis) + np.roll(means, -1, axis)) + 0.5 * means
    assert np.abs(means - expected)[1:-1, 1:-1].mean() < 0.003
    assert all(renderer.bytes_used() <= host.KEPT for renderer in host._idle)


def test_threads_draw_at_the_same_time_and_the_same(fresh):
    requests = [(number % 5, {"age": 20.0 + number}) for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda r: host.render(head_blob(), person_blob(0, r[0]), r[1], SIZE)[0], requests))
    for (number, values), pixels in zip(requests, drawn, strict=True):
        np.testing.assert_array_equal(pixels, fresh(person_blob(0, number), values)[0])
    assert 1 <= len(host._idle) <= max(2, host.cores())


def test_threads_share_one_packed_head():
    source._packed_head.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        heads = list(pool.map(lambda _: head_blob(), range(4)))
    assert all(head is heads[0] for head in heads)


@pytest.mark.parametrize(("cores", "kept"), [(1, 2), (3, 3)])
def test_an_idle_instance_is_kept_for_each_core(cores, kept, monkeypatch):
    monkeypatch.setattr(host, "cores", lambda: cores)
    monkeypatch.setattr(host, "_idle", [])
    with ExitStack() as stack:
        lent = [stack.enter_context(host._borrowed()) for _ in range(5)]
        assert host._idle == []
    assert host._idle == lent[:kept]  # those that came back last
    memory.release()
    assert host._idle == lent[:1]


@pytest.fixture
def two_cores(monkeypatch):
    """Halves of a picture are drawn at the same time, by instances that know nothing else."""
    monkeypatch.setattr(host, "spare_core", lambda: True)
    monkeypatch.setattr(host, "_idle", [Renderer(), Renderer()])


@pytest.mark.parametrize("size", [64, 97])
def test_halves_that_are_drawn_at_the_same_time_are_the_whole_picture(two_cores, fresh, size):
    first = {"head_angle": 12.0, "glasses": 0.5}
    steps = [first, first | {"illumination": 40.0}, first | {"blur": 1.0, "contrast": 1.3, "noise": 0.1}, {}, first]
    for k, values in enumerate(steps):
        if k == 3:  # an instance draws a whole picture in between
            host.render_run(head_blob(), [(person_blob(0, 1), {})], size)
        assert host._halves(size)
        for ours, whole in zip(
            host.render(head_blob(), person_blob(0, 1), values, size),
            fresh(person_blob(0, 1), values, size),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, whole)
    assert len(host._idle) == 2


def test_halves_are_for_large_pictures_when_nothing_else_is_drawn(two_cores, monkeypatch):
    assert not host._halves(host.SMALLEST_HALVED - 1)
    with host._borrowed():
        assert not host._halves(160)
    with pytest.raises(EngineError, match=r"out of range \(age\)"):
        host.render(head_blob(), person_blob(0, 1), {"age": 200.0}, 160)
    assert host._lent == 0
    assert not host._halves(160)  # both have failed
    monkeypatch.setattr(host, "_idle", [Renderer()])
    assert host._halves(160)
    monkeypatch.setattr(host, "spare_core", lambda: False)
    assert not host._halves(160)


@pytest.mark.parametrize(("count", "load", "spare"), [(1, 0.0, False), (2, 1.9, True), (2, 2.0, False), (8, 7.0, True)])
def test_a_busy_machine_has_no_spare_core(monkeypatch, count, load, spare):
    monkeypatch.setattr("fr_explore.base.cores.cores", lambda: count)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 9.0, 9.0), raising=False)
    assert spare_core() == spare


@settings(max_examples=12, deadline=None)
@given(st.integers(0, SIZE), st.integers(0, SIZE + 2))
def test_rows_that_a_picture_lacks_are_refused(top, bottom):
    renderer = Renderer()
    with pytest.raises(EngineError, match=r"no picture is open"):
        renderer.finish(SIZE)
    if 0 <= top < bottom <= SIZE:
        whole = renderer.render(head_blob(), person_blob(0, 1), {}, SIZE)[0].ravel()
        renderer.grain(1, 1, 0)
        renderer.draw(head_blob(), person_blob(0, 1), {}, SIZE, top, bottom)
        part = slice(top * SIZE * 3, bottom * SIZE * 3)
        np.testing.assert_array_equal(renderer.rows(SIZE, 0)[part], whole[part])
    else:
        with pytest.raises(EngineError, match=r"rows must be from 0 to the side of the picture"):
            renderer.draw(head_blob(), person_blob(0, 1), {}, SIZE, top, bottom)


def test_8_bits_are_those_of_the_float_pixels():
    renderer = Renderer()
    pixels, _ = renderer.render(head_blob(), person_blob(0, 1), {"noise": 0.1, "brightness": 1.4}, 45)
    eight = renderer.rgba(45, 45)
    np.testing.assert_array_equal(eight[..., :3], (pixels * 255 + np.float32(0.5)).astype(np.uint8))
    assert (eight[..., 3] == 255).all()


def test_without_wasmtime_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    instance._compiled.cache_clear()
    with pytest.raises(
        ImportError, match=r"needs the package wasmtime, which cannot be loaded here .* run 'pip install was"
    ):
        instance._compiled("renderer")


def test_the_module_is_compiled_once_and_an_error_in_the_background_waits_for_the_first_call(monkeypatch):
    import wasmtime

    compiled = []

    def module(*arguments):
        compiled.append(arguments)
        raise wasmtime.WasmtimeError("failed")

    monkeypatch.setattr(wasmtime, "Module", module)
    instance._compiled.cache_clear()
    instance.prepare()
    for thread in threading.enumerate():
        if thread.name == "fr-explore-engine":
            thread.join()
    assert len(compiled) == 1
    with pytest.raises(EngineError, match="cannot compile the engine"):
        Renderer()
    monkeypatch.undo()
    instance._compiled.cache_clear()
    instance.prepare()
    Renderer()
    assert instance._compiled.cache_info().misses == 1
    instance.prepare()
    assert not any(thread.name == "fr-explore-engine" for thread in threading.enumerate())


def test_an_old_wasmtime_and_a_limit_of_memory_are_explained(monkeypatch):
    import wasmtime

    def refused(*_):
        raise wasmtime.WasmtimeError("failed\nbacktrace")

    monkeypatch.setattr(wasmtime, "Instance", refused)
    with pytest.raises(
        EngineError, match=r"the engine gets no memory \(failed\): .* Raise a limit such as `ulimit -v`"
    ):
        Renderer()
    monkeypatch.setattr(wasmtime, "Module", refused)
    instance._compiled.cache_clear()
    with pytest.raises(EngineError, match=r"wasmtime [\d.]+ cannot compile the engine \(failed\): run 'pip install -U"):
        Renderer()


def test_a_trap_is_reported_in_words_and_its_instance_is_dropped(monkeypatch):
    import wasmtime

    def trap(*_):
        raise wasmtime.Trap("out of bounds memory access\nwasm backtrace: ...")

    Avatars(1, 0).render(0, {}, SIZE)
    broken = host._idle.pop(0)  # the one used last; no other test must meet it
    broken._exports = dict.fromkeys(("render", "values", "slots"), trap)
    monkeypatch.setattr(host, "_idle", [broken])
    with pytest.raises(EngineError, match=r"the engine failed in values: out of bounds memory access\. Please report"):
        Avatars(1, 0).render(0, {}, SIZE)
    assert host._idle == []
    assert Avatars(1, 0).render(0, {}, SIZE).pixels.shape == (SIZE, SIZE, 3)


@pytest.mark.parametrize(("name", "array"), [("long name of a section", np.zeros(1, "<f4")), ("double", np.zeros(1))])
def test_a_section_with_a_long_name_or_another_type_is_refused(name, array):
    with pytest.raises(ValueError, match=rf"section '{name}' of type float.*use a name of at most 15 letters"):
        pack("HEAD", {name: array})


LISTED_MEANWHILE = """
import ctypes, threading, time
import numpy  # brings libraries to list
from threadpoolctl import ThreadpoolController as Listing
from fr_explore.base import cores
from fr_explore.engine import instance
listing, opening, look, opened = threading.Event(), threading.Event(), Listing._make_controller_from_path, ctypes.CDLL
def slowly(self, path):
    listing.set()
    opening.wait(1)  # a library is opened meanwhile, unless that has to wait
    time.sleep(0.05)
    return look(self, path)
def noted(*args, **options):
    opening.set()
    return opened(*args, **options)
Listing._make_controller_from_path, ctypes.CDLL = slowly, noted
thread = threading.Thread(target=cores.cores, daemon=True)
thread.start()
listing.wait()
instance._compiled("renderer")
thread.join()
print("both done")
"""


def test_loading_the_engine_while_libraries_are_listed_does_not_hang():
    """The interpreter's lock and the loader's lock must not be taken in both orders: a command once hung permanently.

    Without `LIBRARIES` it fails with threadpoolctl 3.5; from 3.8 on, the time in which it may happen is short.
    """
    said = subprocess.run(
        [sys.executable, "-c", LISTED_MEANWHILE], capture_output=True, text=True, timeout=60, check=False
    )
    assert said.stdout == "both done\n", said.stderr
