"""`Avatars`: a parametric head, every attribute of which can be set, as a face source."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...attributes import ATTRIBUTES, AVATAR_ATTRIBUTES, Attribute, check_strengths
from ...base.cores import cores, row_blocks
from ...engine import host
from ...engine.instance import prepare
from ..base import Face, NumberedIdentities, check_size, paired
from ..image_attributes import LUMA
from .appearance import hair_tone
from .head import load_head
from .identity import Identity, draw_identity
from .packing import pack_head, pack_person

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Avatars", "head_blob", "person_blob"]

RENDERER = "5"  # part of the fingerprint: raise it whenever the same request would give other pixels
RUN = 16  # most faces that a thread renders in one go
SHAPE = ("head_angle", "age", "expression", "head_pitch", "mouth_open", "glasses")  # that change what hides what
ORDER = (*SHAPE, *(name for name in AVATAR_ATTRIBUTES if name not in SHAPE))
SHOWN = 12  # number of identities that a notebook displays
# label -> whether it depends on the identity or on the picture ("transient")
LABELS = {"feminine": "identity", "no_hair": "identity", "long_hair": "identity", "light_hair": "both",
          "dark_hair": "both", "old": "transient", "smiling": "transient", "glasses": "transient"}  # fmt: skip
LIGHT_HAIR, DARK_HAIR = 0.12, 0.05  # linear luminance


_first: dict[tuple[str, str], bytes] = {}  # the part of the head that the first person needs, by hair style and skin
_packing = threading.RLock()


def head_blob() -> bytes:
    """What all avatars share, packed for the engine; the same object for all threads."""
    with _packing:
        return _packed_head()


@lru_cache(maxsize=1)
def _packed_head() -> bytes:
    return pack_head(load_head())


def _head_for(person: Identity) -> bytes:
    """The head; until somebody else is drawn, only what the first person needs of it: a third of the work."""
    needs = person.style, person.skin
    with _packing:
        if _packed_head.cache_info().currsize:
            _first.clear()
        elif not _first:
            _first[needs] = pack_head(load_head(), {person.style} - {"none"}, [person.skin])
        return _first.get(needs) or head_blob()


@lru_cache(maxsize=128)
def _identity(seed: int, number: int) -> Identity:
    return draw_identity(load_head(), seed, number)


@lru_cache(maxsize=128)
def person_blob(seed: int, number: int) -> bytes:
    """Identity `number` of `seed`, packed for the engine."""
    return pack_person(load_head(), _identity(seed, number))


class Avatars(NumberedIdentities):
    """Faces of parametric heads: the same identity at any strength of any attribute.

    Parameters
    ----------
    identities : number of identities. Identity i of a seed does not depend on this number.
    seed : seed of the identities.

    Examples
    --------
    >>> faces = Avatars(identities=3, seed=0)
    >>> faces.render(1, {"age": 60, "head_angle": 10}).pixels.shape
    (160, 160, 3)
    """

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes of avatars, by name."""
        return {name: ATTRIBUTES[name] for name in AVATAR_ATTRIBUTES}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of asset, seed and renderer: it changes whenever the same request would give other pixels."""
        text = f"avatars {RENDERER} {load_head().digest} {self._seed}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def traits(self) -> pd.DataFrame:
        """One row for each identity: gender presentation, hair, eyes, melanin, facial hair, make-up, ancestry mix."""
        import pandas as pd

        rows = [{"identity": i, **_identity(self._seed, i).traits} for i in self.identities]
        return pd.DataFrame(rows)

    def render(self, identity: Hashable, strengths: Mapping[str, float] | None = None, size: int = 160) -> Face:
        """Render one face.

        Parameters
        ----------
        identity : one of `identities`.
        strengths : attribute -> value in its unit; attributes not given keep their neutral value.
        size : side of the picture in pixels, 32 to 2048.

        Raises
        ------
        ValueError : unknown identity, attribute or size, or a value out of range.
        """
        number, side = self._number(identity), check_size(size)
        values = check_strengths(strengths, AVATAR_ATTRIBUTES)
        prepare()  # while the person is drawn
        head = _head_for(_identity(self._seed, number))
        return Face(*host.render(head, person_blob(self._seed, number), values, side))

    def render_batch(
        self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]], size: int = 160
    ) -> list[Face]:
        """Render many faces on all cores; the pixels equal those of `render`.

        Faces of one identity and shape are drawn one after the other, because the engine then changes only their light,
        their colours or the finished picture.
        """
        side, requests = check_size(size), paired(identities, strengths)
        checked = [(self._number(i), check_strengths(values, AVATAR_ATTRIBUTES)) for i, values in requests]
        prepare()
        threads = min(cores(), 8)
        run = min(max(len(checked) // (2 * threads), 1), RUN)
        order = sorted(
            range(len(checked)), key=lambda i: (checked[i][0], *(checked[i][1][attribute] for attribute in ORDER))
        )

        def drawn(part: slice) -> list[Face]:
            people = [(person_blob(self._seed, checked[i][0]), checked[i][1]) for i in order[part]]
            return [Face(*face) for face in host.render_run(head_blob(), people, side)]

        with ThreadPoolExecutor(threads) as pool:
            faces = [face for faces in pool.map(drawn, row_blocks(len(order), run)) for face in faces]
        return [faces[place] for place in np.argsort(order)]

    def packed(self, identities: Iterable[Hashable]) -> tuple[bytes, list[bytes]]:
        """What a page needs to draw these identities: a head with their hair and their skins, and one blob for each."""
        numbers, head = [self._number(identity) for identity in identities], load_head()
        people = [_identity(self._seed, number) for number in numbers]
        styles = sorted({person.style for person in people} - {"none"})
        skins = sorted({person.skin for person in people})
        return pack_head(head, styles, skins), [person_blob(self._seed, number) for number in numbers]

    def labels(self, identities: Sequence[Hashable], strengths: Sequence[Mapping[str, float]]) -> pd.DataFrame:
        """Return binary labels (+1 or -1) of the faces of a batch, one row for each.

        feminine, no_hair and long_hair depend on the identity; old (50 years or more), smiling and glasses (strength
        0.5 or more) on the picture; light_hair and dark_hair on both, because of the attribute hair_color.
        `attrs["kind"]` says which.
        """
        import pandas as pd

        rows = [self._label(identity, values) for identity, values in paired(identities, strengths)]
        table = pd.DataFrame(rows, columns=list(LABELS)).astype(int) * 2 - 1
        table.attrs["kind"] = dict(LABELS)
        return table

    def _label(self, identity: Hashable, strengths: Mapping[str, float]) -> dict[str, bool]:
        values = check_strengths(strengths, AVATAR_ATTRIBUTES)
        person = _identity(self._seed, self._number(identity))
        bare = person.style == "none"
        tone = float(LUMA @ hair_tone(person, values["hair_color"]))
        return {
            "feminine": person.traits["gender"] == "feminine",
            "no_hair": bare,
            "long_hair": person.traits["hair_length"] == "long",
            "light_hair": not bare and tone > LIGHT_HAIR,
            "dark_hair": not bare and tone < DARK_HAIR,
            "old": values["age"] >= 50,
            "smiling": values["expression"] >= 0.5,
            "glasses": values["glasses"] >= 0.5,
        }

    def _repr_html_(self) -> str:
        shown = self.identities[:SHOWN]
        faces = self.render_batch(shown, [{}] * len(shown), size=96)
        row = Face(np.concatenate([face.pixels for face in faces], axis=1))
        source = f"data:image/png;base64,{base64.b64encode(row._repr_png_()).decode()}"
        more = "" if len(shown) == self._count else f", the first {len(shown)} shown"
        text = f"{self._count} avatar{'s' * (self._count > 1)} (seed {self._seed}{more})"
        return f'<figure><img alt="{text}" src="{source}"><figcaption>{text}</figcaption></figure>'
