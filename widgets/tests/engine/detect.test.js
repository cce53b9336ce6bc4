// Finding faces in a page: pure functions against Python's figures for the same numbers (box_crops, decoded,
// suppressed). The whole finder is compared with Python's in tests/faces/photographs/test_detect.py.

import { describe, expect, it } from "vitest";
import { decoded, resampled, suppressed } from "../../fr_explore_widgets/engine/detect.js";

const close = (/** @type {ArrayLike<number>} */ got, /** @type {number[]} */ wanted, digits = 3) => {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, digits);
  });
};

describe("resampling", () => {
  const picture = {
    data: Uint8Array.from({ length: 144 }, (_, i) => i),
    width: 8,
    height: 6,
    channels: 3,
  };
  // what fr_explore/faces/detector_crop.py gives for i ** 1.5 % 251, in 6 rows of 8 pixels
  const curved = {
    ...picture,
    data: Float32Array.from({ length: 144 }, (_, i) => (i ** 1.5 % 251) / 255),
  };

  it.each([
    [[1.3, 0.4, 6.9, 5.2], [128.576836, 137.046982, 139.935491, 133.050371, 83.121954, 90.690399, 136.231668, 150.41883, 125.381528, 117.415749, 118.156363, 124.57627]], // biome-ignore format: a list
    [[-3, -2, 12, 9], [108.916088, 109.009541, 108.693946, 106.917373, 98.024792, 103.503053, 126.742253, 136.092031, 130.54776, 117.66173, 122.650265, 129.028262]], // biome-ignore format: a list
    [[2, 2, 4, 4], [145.817338, 156.890917, 168.065627, 179.340563, 190.71484, 202.187599, 186.877348, 200.167359, 213.541753, 227.0, 240.541581, 3.165987]], // biome-ignore format: a list
  ])("of a box %j gives Python's pixels", (box, wanted) => {
    close(resampled(curved, box, 2, 2), wanted);
  });

  it("of the whole picture in its own size changes nothing, and a fourth channel is not read", () => {
    close(resampled(picture, [0, 0, 8, 6], 6, 8), [...picture.data]);
    const data = Uint8ClampedArray.from({ length: 192 }, (_, i) =>
      i % 4 === 3 ? 255 : 3 * (i >> 2) + (i % 4),
    );
    close(resampled({ ...picture, data, channels: 4 }, [0, 0, 8, 6], 6, 8), [...picture.data]);
  });

  it("keeps a plain colour, inside and outside the picture", () => {
    const plain = { ...picture, data: new Uint8Array(144).fill(77) };
    for (const value of resampled(plain, [-20, -4, 30, 60], 5, 9)) expect(value).toBeCloseTo(77, 4);
  });
});

describe("proposals", () => {
  const data = Float64Array.from({ length: 96 }, (_, i) => 2 * Math.sin(0.7 * i));
  const grid = { data, columns: 3, step: 8 };

  it("are decoded as in Python", () => {
    const found = decoded([grid], 0.4);
    close(
      found.map(({ score }) => score),
      [0.626052, 0.723044, 0.845246],
      5,
    );
    close(
      found.flatMap(({ box }) => box),
      [7.95043, 11.82812, 23.58396, 15.79458, -7.43347, -7.84962, -6.26838, -5.25971, 19.16781, 10.92106, 22.36666, 12.18371], // biome-ignore format: a list
      4,
    );
    expect(decoded([grid], 0.9)).toEqual([]);
    expect(decoded([{ ...grid, data: data.map(() => Number.NaN) }], 0.1)).toEqual([]);
  });

  it("of one face are one: the most certain stays", () => {
    const at = (/** @type {number} */ x, /** @type {number} */ score) => ({ score, box: [x, 0, x + 10, 10] });
    // overlaps of neighbours 2 px apart: 8 / 12; 6 px apart: 4 / 16
    const found = [at(0, 0.5), at(2, 0.9), at(8, 0.7), at(40, 0.6)];
    expect(suppressed(found, 0.3).map(({ score }) => score)).toEqual([0.9, 0.7, 0.6]);
    expect(suppressed(found, 0.2).map(({ score }) => score)).toEqual([0.9, 0.6]);
    expect(suppressed([], 0.3)).toEqual([]);
    expect(found[0].score).toBe(0.5); // the list that was given keeps its order
  });
});
