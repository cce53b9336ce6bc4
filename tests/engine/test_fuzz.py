"""Attacks on the renderer's module: blobs cut, changed and swapped, impossible parameters, sizes and slots.

Whatever a host passes, a function returns a code that has words, and nothing traps. A read outside of an array would
usually find other numbers in the module's memory: so every attack runs in two instances, whose free memory was filled
with different bytes, and both must return the same.
"""

import ctypes
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fr_explore.attributes import ATTRIBUTES, AVATAR_ATTRIBUTES
from fr_explore.engine import host
from fr_explore.engine.blobs import pack
from fr_explore.engine.host import Renderer
from fr_explore.engine.instance import EngineError
from fr_explore.faces.avatars.head import load_head
from fr_explore.faces.avatars.packing import pack_head
from fr_explore.faces.avatars.source import _identity, person_blob
from fr_explore.faces.image_attributes import apply_image_attributes

SIZE = 32
FILL = 36 << 20  # bytes of memory that are filled before an attack: more than a head, its people and a picture take
HEADER, ENTRY = 32, 32  # bytes of a blob's header and of a row of its table


STYLE, OTHER = "short04", "long01"


def person_with(style):
    return person_blob(0, next(i for i in range(90) if _identity(0, i).style == style))


@pytest.fixture(scope="module")
def head():
    person = next(p for p in (_identity(0, i) for i in range(90)) if p.style == STYLE)
    return pack_head(load_head(), [STYLE], [person.skin])


@pytest.fixture(scope="module")
def person():
    return person_with(STYLE)


@pytest.fixture(scope="module")
def twins():
    return Renderer(), Renderer()


def attach(renderer, blob, function, *arguments):
    at = renderer._call("inbox", len(blob))
    assert at
    if blob:
        renderer._view(at, len(blob), ctypes.c_uint8)[:] = np.frombuffer(blob, np.uint8)
    return renderer._call(function, len(blob), *arguments)


def outcome(renderer, fill, head, person, slot=0, size=SIZE, values=None):
    """What a host sees after each call, from a fresh state: codes with their words, or the bytes of the picture."""
    renderer._call("reset")
    renderer._head = None
    renderer._people.clear()
    at = renderer._call("inbox", FILL)
    renderer._view(at, FILL, ctypes.c_uint8)[:] = fill
    renderer._call("reset")
    renderer._set(values or {})
    seen = []
    for step in (
        lambda: attach(renderer, head, "attach_head"),
        lambda: attach(renderer, person, "attach_person", slot),
        lambda: renderer._call("render", slot, size),
    ):
        code = step()
        words = renderer._words(code)
        assert words != "unknown code"
        seen.append((code, words, renderer._text(renderer._call("subject")) if code else ""))
        if code:
            return seen
    return [*seen, renderer._result(size, size).tobytes(), renderer.rgba(size, size).tobytes()]


def both(twins, *arguments, **options):
    first, second = (outcome(twin, fill, *arguments, **options) for twin, fill in zip(twins, (0, 0xA5), strict=True))
    assert first == second
    return first


def sections(blob):
    """Name -> (row of the table, kind, count, offset)."""
    (count,) = struct.unpack_from("<I", blob, 16)
    found = {}
    for row in range(count):
        name, kind, length, offset = struct.unpack_from("<16sIII", blob, HEADER + ENTRY * row)
        found[name.rstrip(b"\0").decode()] = (row, kind, length, offset)
    return found


def test_the_blobs_themselves_are_accepted(twins, head, person):
    seen = both(twins, head, person)
    assert [code for code, *_ in seen[:3]] == [0, 0, 0]
    assert len(seen[-1]) == SIZE * SIZE * 4


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), patched=st.booleans(), which=st.booleans())
@example(share=0.0, patched=False, which=True)
def test_a_cut_blob_is_refused(twins, head, person, share, patched, which):
    blob = head if which else person
    cut = bytearray(blob[: int(share * len(blob))])
    if patched and len(cut) >= 16:
        struct.pack_into("<I", cut, 12, len(cut))  # the length that the header gives
    seen = both(twins, *((bytes(cut), person) if which else (head, bytes(cut))))
    assert seen[-1][1].startswith("this is not a blob of the expected kind and version")


@settings(max_examples=60, deadline=None)
@given(data=st.data(), which=st.booleans())
def test_changed_bytes_are_refused_or_drawn(twins, head, person, data, which):
    blob = bytearray(head if which else person)
    places = sections(blob)
    for _ in range(data.draw(st.integers(1, 4))):
        # the table, or anywhere in a section: small sections are as likely as large ones
        name = data.draw(st.sampled_from(["", *places]))
        if name:
            _, kind, count, offset = places[name]
            width = (1, 1, 2, 2, 4, 2, 4)[kind]
            at = offset + width * data.draw(st.integers(0, count - 1))
        else:
            at, width = 4 * data.draw(st.integers(0, (HEADER + ENTRY * len(places)) // 4 - 1)), 4
        blob[at : at + width] = data.draw(
            st.sampled_from([b"\xff" * width, b"\0" * width, (b"\0\0\x80\x7f" * 2)[-width:]])
            | st.binary(min_size=width, max_size=width)
        )
    both(twins, *((bytes(blob), person) if which else (head, bytes(blob))))


INDEX, NUMBER = "an index in the blob is out of range", "a number in the blob is not finite or is too large"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("triangles", 30000, INDEX),
        ("subdivide.index", 65535, INDEX),
        ("subdivide.start", 2**31 - 1, INDEX),
        ("marks", 60000, INDEX),
        ("material", 9, INDEX),
        ("hair06.anchors", 60000, INDEX),
        ("hair06.tri", 30000, INDEX),
        ("gloss", float("nan"), NUMBER),
        ("chart", 1e30, NUMBER),
        ("texels", -1.0, NUMBER),
        ("hair06.offsets", float("inf"), NUMBER),
        ("hair06.facts", 0.0, NUMBER),
        ("hair06.facts", float("nan"), NUMBER),
        ("hair06.facts", 700.0, NUMBER),
    ],
)
def test_each_index_and_number_of_a_head_is_checked(twins, head, person, name, value, words):
    blob = bytearray(head)
    _, kind, count, offset = sections(blob)[name]
    width, code = ((1, "B"), (1, "b"), (2, "<H"), (2, "<h"), (4, "<i"), (2, "<e"), (4, "<f"))[kind]
    for i in {0, count - 1} if name != "hair06.facts" else {0}:
        changed = bytearray(blob)
        struct.pack_into(code, changed, offset + width * i, value)
        assert both(twins, bytes(changed), person)[0][1:] == (words, name)


def test_swapped_blobs_are_refused(twins, head, person):
    assert both(twins, person, person)[-1][1:] == (
        "this is not a blob of the expected kind and version, or a part of it is missing", "HEAD"
    )  # fmt: skip
    assert both(twins, head, head)[-1][2] == "FACE"
    other = bytearray(person)
    struct.pack_into("<i", other, sections(person)["facts"][3], 12345)
    assert both(twins, head, bytes(other))[-1][1] == "the person was packed for another head"
    assert (
        both(twins, head, person_with(OTHER))[-1][1] == "the head was packed without this person's hair style or skin"
    )
    assert both(twins, pack("HEAD", {"identity": np.zeros(1, "<i4")}), person)[-1][2] == "expressions"
    assert both(twins, b"", person)[-1][2] == "HEAD"


@settings(max_examples=40, deadline=None)
@given(size=st.integers(0, 40) | st.integers(0, 2**32 - 1), slot=st.integers(0, 9) | st.integers(0, 2**32 - 1))
def test_sizes_and_slots(twins, head, person, size, slot):
    if 41 < size <= 2048:
        size += 2048
    seen = both(twins, head, person, slot=slot, size=size)
    if slot > 7:
        assert seen[-1][1] == "there is no such slot"
    elif not 32 <= size <= 2048:
        assert seen[-1][1] == "the side of a picture must be from 32 to 2048 pixels"
    else:
        assert len(seen[-1]) == size * size * 4


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(AVATAR_ATTRIBUTES), value=st.floats(width=32))
@example(name="noise", value=float("nan"))
@example(name="age", value=float("inf"))
def test_parameters_out_of_range_are_refused_by_name(twins, head, person, name, value):
    rule = ATTRIBUTES[name]
    seen = both(twins, head, person, values={name: value})
    if np.float32(rule.low) <= value <= np.float32(rule.high):
        assert seen[-2][0] != 0
    else:
        assert seen[-1][1:] == ("a parameter is not finite or is out of range", name)


def test_calls_out_of_order(head, person):
    renderer = Renderer()
    assert renderer._words(renderer._call("render", 0, SIZE)) == "no head is attached: attach one first"
    assert renderer._words(attach(renderer, person, "attach_person", 0)) == "no head is attached: attach one first"
    assert renderer._words(renderer._call("adjust", 0)) == "no picture is open: call picture first"
    assert renderer._call("attach_head", 100) != 0  # nothing is in the inbox
    assert attach(renderer, head, "attach_head") == 0
    assert renderer._words(attach(renderer, head, "attach_head")) == "a head is attached already: call reset first"
    assert renderer._words(renderer._call("render", 3, SIZE)).startswith("no person is attached to this slot")
    assert renderer._call("attach_person", 100, 0) != 0
    assert attach(renderer, person, "attach_person", 3) == 0
    assert renderer._call("render", 3, SIZE) == 0
    assert renderer._call("inbox", 2**32 - 1) == 0  # more than there is
    assert renderer._call("picture", 65535, 65535) == 0
    assert renderer._call("picture", 0, 5) == 0
    assert renderer._call("render", 3, SIZE) == 0
    assert renderer._words(99) == "unknown code"


def test_the_host_reports_words_and_goes_on(head, person):
    values = {"age": 40.0}
    before = host.render(head, person, values, SIZE)[0]
    for arguments, message in [
        ((head[:99], person, values, SIZE), r"this is not a blob .* missing \(HEAD\)\."),
        ((head, person, {"age": 5.0}, SIZE), r"a parameter is not finite or is out of range \(age\)\."),
        ((head, person, values, 9), r"the side of a picture must be from 32 to 2048 pixels\."),
    ]:
        with pytest.raises(EngineError, match=message):
            host.render(*arguments)
        assert np.array_equal(host.render(head, person, values, SIZE)[0], before)
    with pytest.raises(EngineError, match=r"a picture of 70000 x 1 px: there is not enough memory for it; reduce"):
        apply_image_attributes(np.zeros((1, 70000, 3), np.float32), {"hue": 3})
