"""Light and colour of an avatar's vertices and fragments, in linear RGB."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from fr_explore.faces.avatars.appearance import skin_fields
from fr_explore.faces.avatars.chart import paint
from fr_explore.faces.avatars.head import Head
from fr_explore.faces.avatars.identity import Identity

from .eye import eye_color
from .shape import EYE, LASH, SKIN, TEETH, TONGUE, WIDTH, Shape, normals, sigmoid

TONES = np.array([(0.965, 0.845, 0.780), (0.925, 0.755, 0.655), (0.815, 0.615, 0.480), (0.600, 0.420, 0.305),
                  (0.335, 0.225, 0.165)])  # fmt: skip
CELLS = 16  # of the chart in a cm


def _smooth(x: np.ndarray | float) -> np.ndarray:
    t = np.clip(x, 0, 1)
    return t * t * (3 - 2 * t)


def _linear(srgb: np.ndarray) -> np.ndarray:
    x = srgb / 255.0
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def _hermite(dark: np.ndarray, own: np.ndarray, light: np.ndarray, strength: float) -> np.ndarray:
    """Monotone cubic interpolation of logarithms through three colours at -1, 0 and 1 (Fritsch and Butland 1984)."""
    a, b, c = np.log(dark), np.log(own), np.log(light)
    left, right = b - a, c - b
    slope = np.where(left * right > 0, 2 * left * right / np.where(left + right == 0, 1, left + right), 0)
    chord = right if strength > 0 else -left
    inner = slope if strength > 0 else -slope
    outer = np.sign(chord) * np.clip(np.sign(chord) * (1.5 * chord - 0.5 * inner), 0, 3 * np.abs(chord))
    t = abs(strength)
    return np.exp(b + inner * t + (3 * chord - 2 * inner - outer) * t**2 + (inner + outer - 2 * chord) * t**3)


def _bilinear(texture: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Values (n, channels) of a texture at places in texels from its corner."""
    rows, columns = texture.shape[:2]
    x, y = np.clip(column - 0.5, 0, columns - 1.001), np.clip(row - 0.5, 0, rows - 1.001)
    k, i = x.astype(int), y.astype(int)
    right, down = (x - k)[:, None], (y - i)[:, None]
    above = texture[i, k] * (1 - right) + texture[i, k + 1] * right
    return above * (1 - down) + (texture[i + 1, k] * (1 - right) + texture[i + 1, k + 1] * right) * down


def _density(points: np.ndarray, places: np.ndarray, triangles: np.ndarray) -> float:
    """Texels in a cm of a surface (n, 3) with places in a texture (n, 2)."""

    def area(p: np.ndarray) -> float:
        flat = np.column_stack([p, np.zeros(len(p))]) if p.shape[1] == 2 else p
        a, b, c = (flat[triangles[:, k]] for k in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())

    return float(np.sqrt(area(places) / area(points)))


class Colors:
    """Colours of one picture: `at` shades fragments, `background` gives what is behind."""

    def __init__(self, head: Head, identity: Identity, values: Mapping[str, float], shape: Shape) -> None:
        self.head, self.identity, self.values, self.shape = head, identity, values, shape
        self.fields = {name: np.asarray(field, float) for name, field in skin_fields(head).items()}
        azimuth, up = np.radians(values["illumination"]), np.radians(32)
        self.key = np.array([np.sin(azimuth) * np.cos(up), np.sin(up), np.cos(azimuth) * np.cos(up)])
        middle = self.key + np.array([0, 0, 1])
        self.half = middle / np.linalg.norm(middle)
        self.strength = values["light_strength"]
        dark, light = np.array([0.0085, 0.0070, 0.0065]), np.array([0.78, 0.66, 0.46])
        own = np.clip(identity.hair, dark * 1.2, light / 1.2)
        self.hair = _hermite(dark, own, light, values["hair_color"])
        logit = np.log(identity.melanin / (1 - identity.melanin)) - 2 * values["skin_tone"]
        weight = np.exp(-0.5 * ((4 * sigmoid(logit) - np.arange(5)) / 0.6) ** 2)
        self.tone = np.exp(weight @ (2.2 * np.log(TONES)) / weight.sum()) * identity.tone
        covered = self.fields["covered"][head.triangles] > 0.5
        self.hidden = covered.all(axis=1) & (identity.style != "none")
        self.sigma = 0.42 * WIDTH / shape.size  # of the softening, in cm
        self._prepare_head()
        if "hair" in shape.meshes:
            self._prepare_hair()

    def _soft(self, texture: np.ndarray, texels_per_cm: float) -> np.ndarray:
        sigma = self.sigma * texels_per_cm
        return gaussian_filter(np.asarray(texture, float), (sigma, sigma, 0), mode="nearest")

    def _skin(self) -> np.ndarray:
        """The skin at this age relative to its mean colour (rows, columns, 3)."""
        head, fields, age = self.head, self.fields, self.values["age"]
        textures = _linear(head.skins[self.identity.skin])
        face = (head.of_material == SKIN) & (np.abs(self.chart[:, 0]) < 7)
        face &= np.maximum.reduce([fields["lips"], fields["cavity"], fields["cloth"]]) <= 0.1
        column, row = head.uv[face].T // 256
        means = np.exp(np.log(np.maximum(textures[:, row, column], 1e-3)).mean(axis=1))
        triangles = head.triangles[head.material == SKIN]
        triangles = triangles[(head.rest[triangles, 2] > 0).all(axis=1)]
        density = _density(head.rest, head.uv / 65535 * 256, triangles)
        later, last = _smooth((age - 22) / 26), _smooth((age - 48) / 24)
        share = np.array([1 - later, later - last, last])  # young, middle-aged, old
        return self._soft(np.einsum("kc,kyxc->yxc", share[:, None] / means, textures), density)

    def _prepare_head(self) -> None:
        head, rest, kind = self.head, self.head.rest, self.head.of_material
        places = rest[:, :2].copy()
        places[(kind == SKIN) & ((rest[:, 2] < -5.0) | (np.abs(rest[:, 0]) > 6.9))] = 99
        eye = kind == EYE
        places[eye, 0] -= np.sign(rest[eye, 0]) * 3.105
        places[eye] /= 1.655
        self.chart = places
        self.skin = self._skin()
        marks = np.round(paint(self.identity) * 255) / 255
        self.paint, self.makeup = self._soft(marks, CELLS), self._soft(head.makeup / 255, CELLS)
        points, _, triangles = self.shape.meshes["head"]
        light, seen, shine = self._light(normals(points, triangles))
        gloss = np.where(kind == SKIN, 0.10 - 0.09 * self.fields["cloth"] + 0.16 * self.fields["lips"], 0)
        gloss[kind == TEETH] = 0.25
        lash = np.flatnonzero(kind == LASH)
        length = KDTree(rest[kind == SKIN]).query(rest[lash])[0]
        self.lashes = np.zeros(len(rest))  # opacity, less at the tips and at the lower lid
        self.lashes[lash] = (0.3 + 0.5 * sigmoid((rest[lash, 1] + 0.28) / 0.06)) * np.clip(1 - length / 0.7, 0, 1)
        factor, hiding = self._albedo()
        # light on the texture, light on what hides it, highlight, mean light, places on the chart and in the skin
        self.vertices = np.column_stack([
            factor * light, hiding * light, gloss * seen * shine, light.mean(axis=1), places, head.uv / 65535 * 256,
        ])  # fmt: skip

    def _light(self, normal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Light on the head's vertices (n, 3), the share of the lamp that they see, and how they reflect it."""
        visible = self.head.visibility / 16.0
        inside = np.isin(self.head.of_material, (TEETH, TONGUE))
        visible[inside] = np.eye(16)[0] * 2.9
        x, y, z = self.shape.turn.T @ self.key
        seen = visible @ [
            0.282095, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
            0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
            0.590044 * y * (3 * x * x - y * y), 2.890611 * x * y * z,
            0.457046 * y * (5 * z * z - 1), 0.373176 * z * (5 * z * z - 3),
            0.457046 * x * (5 * z * z - 1), 1.445306 * z * (x * x - y * y), 0.590044 * x * (x * x - 3 * y * y),
        ]  # fmt: skip
        seen = self.strength * _smooth((seen - 0.25) / 0.6)
        open_sky = np.clip(0.282095 * visible[:, 0], 0, 1)
        wrap, color = np.array([0.30, 0.16, 0.10]), np.array([1.03, 1.0, 0.95])
        facing = (normal @ self.key)[:, None]
        light = 0.86 * color / (1 + wrap) * np.maximum(facing + wrap, 0) * seen[:, None]
        sky = open_sky**2 * (0.12 + 0.14 * (0.5 + 0.5 * normal[:, 1]))
        light += sky[:, None] * (0.97, 1.0, 1.05)
        light += (0.20 * open_sky * np.maximum(0.35 + normal @ (-0.195, -0.0325, 0.6175), 0))[:, None]
        return light, seen, np.maximum(normal @ self.half, 0) ** 28

    def _albedo(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each vertex: factor of the skin's texture, and colour of what hides the skin; (n, 3) each."""
        person, kind = self.identity, self.head.of_material
        red, lips, scalp, shade, cavity, cloth = (
            self.fields[name][:, None] for name in ("red", "lips", "scalp", "hair_shade", "cavity", "cloth")
        )
        factor = self.tone * np.exp(-person.redness * red * (0.02, 0.34, 0.30))
        factor = factor * (1 + lips * (np.array(person.lips) - 1))
        hiding = np.zeros_like(factor)
        haired = person.style != "none"
        covers = [((0.92 if haired else 0.3 * (person.beard > 0)) * scalp, 0.75 * self.hair + 0.04 * self.tone)]
        covers += [(cavity, np.array([0.10, 0.016, 0.014])), (cloth, np.array(person.cloth))]
        for number, (share, color) in enumerate(covers):
            factor, hiding = factor * (1 - share), hiding + share * (color - hiding)
            if haired and number == 0:
                factor, hiding = factor * (1 - 0.3 * shade), hiding * (1 - 0.3 * shade)
        plain = {
            EYE: (0.62, 0.59, 0.57),
            TEETH: (0.62, 0.57, 0.49),
            TONGUE: (0.22, 0.06, 0.055),
            LASH: (0.02, 0.014, 0.012),
        }
        for material, color in plain.items():
            factor[kind == material], hiding[kind == material] = 0, color
        aside = _smooth((np.abs(self.head.rest[:, :1]) - 1.5) / 1.4)
        hiding = np.where((kind == TEETH)[:, None], (1 - 0.85 * aside) * hiding, hiding)
        return factor, hiding

    def _prepare_hair(self) -> None:
        head, person = self.head, self.identity
        worn = head.hair[person.style]
        assert worn.uv is not None
        assert worn.texture is not None
        points, _, triangles = self.shape.meshes["hair"]
        rows, columns, _ = worn.texture.shape
        places = worn.uv / 65535 * (columns, rows)
        share = np.asarray(worn.binding[0], float)
        share = share / share.sum(axis=1, keepdims=True)
        baked = (share[:, :, None] * head.mean[worn.binding[1]]).sum(axis=1) + np.asarray(worn.offset, float)
        lift = np.linalg.norm(np.asarray(worn.offset, float), axis=1)  # distance to the skin
        shade, opacity = np.moveaxis(worn.texture / 255.0, -1, 0)
        self.strands = self._soft(np.stack([shade * opacity, opacity], axis=-1), _density(baked, places, triangles))
        light, shine = self._hair_light(points, triangles, places, lift)
        self.strand_vertices = np.column_stack([places, light, shine])

    def _hair_light(self, points: np.ndarray, triangles: np.ndarray, places: np.ndarray, lift: np.ndarray) -> tuple:
        own = normals(points, triangles)
        out = points - self.shape.placed_point((0, 1.5, -8))
        out[:, 1] *= np.where(out[:, 1] < 0, 0.25, 1)
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        normal = out + 0.8 * (out * own).sum(axis=1, keepdims=True) * own
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        tangent = np.zeros_like(points)
        p, q = (points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))
        s, t = (places[triangles[:, k]] - places[triangles[:, 0]] for k in (1, 2))
        along = s[:, :1] * q - t[:, :1] * p
        along *= np.where(s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0] < 0, -1.0, 1.0)[:, None]
        for k in range(3):
            np.add.at(tangent, triangles[:, k], along)
        tangent /= np.sqrt((tangent**2).sum(axis=1) + 1e-12)[:, None]
        outer = 0.68 + 0.32 * _smooth((lift - 0.1) / 1.2)
        facing = np.maximum((normal @ self.key + 0.35) / 1.35, 0)
        across = np.sqrt(np.clip(1 - (tangent @ self.key) ** 2, 0, 1))
        light = 1.5 * self.strength * facing * (0.7 + 0.3 * across) + 0.425 + 0.125 * normal[:, 1]
        slope = ((tangent + 0.12 * normal) * self.half).sum(axis=1)
        shine = (
            self.strength * facing * np.clip(1 - slope**2, 0, 1) ** 30 * np.clip(normal[:, 2] + 0.3, 0, 1) * outer**2
        )
        return light * outer * (1 - self.identity.roots * _smooth(1.2 - 0.7 * lift)), shine

    def at(self, mesh: str, triangle: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Colour and opacity (n, 4) of fragments, given their barycentric weights (n, 3)."""
        corners = self.shape.meshes[mesh][2][triangle]
        if mesh == "hair":
            column, row, light, shine = (weight[:, :, None] * self.strand_vertices[corners]).sum(axis=1).T
            shaded, opacity = _bilinear(self.strands, column, row).T
            shade = 255 / 128 * shaded / np.maximum(opacity, 1e-6)
            color = self.hair * (light * shade)[:, None] + shine[:, None] * (0.03 + 0.14 * self.hair)
            return np.column_stack([color, np.where(opacity < 1 / 255, 0, opacity)])
        if mesh == "glasses":
            points, _, triangles = self.shape.meshes["glasses"]
            normal = normals(points, triangles)
            light = 0.35 + 1.2 * self.strength * np.maximum(normal @ self.key, 0)
            color = light[:, None] * (0.030, 0.024, 0.022)
            color += 0.35 * self.strength * np.maximum(normal @ self.half, 0)[:, None] ** 30
            mixed = (weight[:, :, None] * color[corners]).sum(axis=1)
            return np.column_stack([mixed, np.full(len(mixed), self.values["glasses"])])
        mixed = (weight[:, :, None] * self.vertices[corners]).sum(axis=1)
        kind = self.head.material[triangle]
        color = mixed[:, 3:6] + mixed[:, 6:7]
        color[kind == SKIN] = self._skin_color(mixed[kind == SKIN])
        pixel = WIDTH / self.shape.size / 1.655
        ball = mixed[kind == EYE]
        color[kind == EYE] = eye_color(ball[:, 8:10], self, pixel) * ball[:, 7:8] + self._glint(ball[:, 8:10], pixel)
        opacity = (weight * self.lashes[corners]).sum(axis=1)
        return np.column_stack([color, np.where(kind == LASH, opacity, 1.0)])

    def _glint(self, place: np.ndarray, pixel: float) -> np.ndarray:
        """The lamp's reflection on the cornea, which bulges, so that its normal changes faster than the eyeball's."""
        depth = np.sqrt(np.clip(1 - (place**2).sum(axis=1), 0.05, 1))
        bulge = np.column_stack([1.9 * place, depth]) @ self.shape.turn.T
        facing = bulge @ self.half / np.linalg.norm(bulge, axis=1)
        return 0.85 * self.strength * sigmoid((facing - 0.988) / np.hypot(0.004, 0.14 * pixel))[:, None]

    def _skin_color(self, mixed: np.ndarray) -> np.ndarray:
        person, values = self.identity, self.values
        shine, light, places = mixed[:, 6:7], mixed[:, 7:8], mixed[:, 8:10]
        color = mixed[:, :3] * _bilinear(self.skin, *mixed[:, 10:12].T) + mixed[:, 3:6]
        cells = ((places + np.array([7, 11.5])) * CELLS).T
        brow, beard, marks, relief = _bilinear(self.paint, *cells).T[..., None]
        relief = 2 * relief - 256 / 255
        painted = color * np.exp(-marks * (0.75, 1.0, 1.08)) * (1 + 0.2 * relief)
        made_up = (person.makeup + (1 - person.makeup) * values["makeup"]) * _bilinear(self.makeup, *cells)
        painted = painted * np.exp(-made_up[:, :1] * (1.5, 1.7, 1.6) - made_up[:, 2:] * (0.01, 0.22, 0.17))
        red = np.array([0.62, 0.16, 0.19]) * (0.25 + np.array([0.9, 0.45, 0.5]) * self.tone)
        painted = painted + 0.7 * made_up[:, 1:2] * (light * red - painted)
        brow_color = 0.12 / (0.12 / 0.75 + self.hair.max()) * self.hair
        level = person.beard + (person.beard if values["facial_hair"] < 0 else 1 - person.beard) * values["facial_hair"]
        bearded = 0.45 * (brow_color + self.hair) + 0.02 * self.tone
        painted = painted + level * beard * (2 - beard) * (light * bearded - painted)
        painted = painted + brow * (light * brow_color - painted)
        on_chart = np.abs(places[:, :1]) < 7
        return np.where(on_chart, painted + shine * np.maximum(1 + 0.9 * relief, 0), color + shine)

    def background(self, size: int) -> np.ndarray:
        """A plain background with a soft vignette (size, size, 3)."""
        ends = np.array([0.045, 0.050, 0.056]), np.array([0.93, 0.93, 0.92])
        grey = _hermite(ends[0], np.array([0.56, 0.58, 0.60]), ends[1], self.values["background"])
        y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
        return (1 - 0.55 * (x**2 + y**2) - 0.10 * y)[..., None] * grey
