import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createGuess, OFTEN, RENEW_MS, SLOW_MS } from "../../fr_explore_widgets/attribute/guess.js";

const REFERENCE = { place: 0, strengths: { age: 35 } };
const at = (age) => ({ place: 0, strengths: { age } });

let stop;
let shown;
let wanted;
let ready;
let guess;
let seq;
let seen;
let embed;

beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
  [shown, wanted, ready, seq] = [[], [], true, 0];
  embed = vi.fn(async (_name, { strengths }) => [strengths.age]);
  const hand = {
    draws: () => true,
    prepare: () => {},
    prepareModel: async (name) => wanted.push(name),
    card: () => (ready ? { metric: "euclidean" } : null),
    embed,
    seen: () => seen,
  };
  guess = createGuess({
    signal: stop.signal,
    names: () => ["m"],
    reference: () => REFERENCE,
    hand,
    show: (i, distance, face) => shown.push([i, distance, face.strengths.age]),
  });
});

afterEach(() => {
  stop.abort();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** The page paints a face in hand. */
function painted(age) {
  seen = at(age);
  guess.move(at(0)); // the slider is elsewhere already
}

/** A move whose request is answered after some time. */
async function move(age, ms) {
  seq += 1;
  painted(age);
  guess.sent(seq, true);
  await vi.advanceTimersByTimeAsync(ms);
  guess.told(seq);
}

/** A kernel that has been slow often enough. */
const slowly = async () => {
  for (let i = 1; i < OFTEN; i += 1) await move(40, SLOW_MS + 1);
};

test("a kernel in time is left alone, and so is one that is late now and then", async () => {
  for (let i = 0; i < 10; i += 1) {
    await move(40 + i, SLOW_MS - 1);
    await move(50 + i, SLOW_MS + 1);
  }
  expect([shown, wanted]).toEqual([[], []]);
});

test("where the kernel is slow, the page's distance is shown until the kernel's comes", async () => {
  await slowly();
  seq += 1;
  painted(45);
  guess.sent(seq, true);
  await vi.advanceTimersByTimeAsync(SLOW_MS - 1);
  expect(shown).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(shown).toEqual([[0, 10, 45]]);
  expect([guess.overtook(seq - 1), guess.overtook(seq)]).toEqual([true, false]); // an older answer is not shown any more
  await vi.advanceTimersByTimeAsync(RENEW_MS);
  expect(shown).toHaveLength(1); // the face has not moved
  guess.told(seq);
  await vi.advanceTimersByTimeAsync(1000);
  expect(shown).toHaveLength(1);
  expect(guess.overtook(seq - 1)).toBe(false);
});

test("a small face in motion is compared with a reference as small, a whole one with the whole reference", async () => {
  await slowly();
  const sides = [];
  seen = { ...at(45), drawn: { size: 80 } };
  embed.mockImplementation(async (_name, { strengths, drawn }, side) => {
    sides.push(drawn?.size ?? side);
    return [strengths.age + (drawn?.size ?? side ?? 0)]; // the size moves the embedding
  });
  seq += 1;
  guess.sent(seq, true);
  await vi.advanceTimersByTimeAsync(SLOW_MS);
  seen = { ...at(46), drawn: { size: 160 } };
  await vi.advanceTimersByTimeAsync(RENEW_MS);
  expect(sides).toEqual([80, 80, 160, 160]);
  expect(shown.map(([, distance]) => distance)).toEqual([10, 11]);
  guess.told(seq);
});

test("a face that moves on while the kernel is slow gets a new figure now and then", async () => {
  await slowly();
  seq += 1;
  guess.sent(seq, true);
  for (let i = 0; i < 100; i += 1) {
    painted(36 + i / 4);
    await vi.advanceTimersByTimeAsync(10);
  }
  const times = Math.floor((1000 - SLOW_MS) / RENEW_MS) + 1;
  expect(shown).toHaveLength(times);
  expect(shown.at(-1)[1]).toBe(shown.at(-1)[2] - REFERENCE.strengths.age);
  guess.told(seq);
});

test("the page asks for the network only when it needs it; figures of buttons are the kernel's", async () => {
  ready = false;
  await slowly();
  expect(wanted).toEqual([]);
  await move(41, SLOW_MS + 1);
  expect([shown, wanted]).toEqual([[], ["m"]]);
  ready = true;
  seq += 1;
  guess.sent(seq, false); // undo: the page does not know the face
  await vi.advanceTimersByTimeAsync(1000);
  expect(shown).toEqual([]);
});

test("after the kernel's picture, the figure is that of the newest face", async () => {
  await slowly();
  seq += 1;
  seen = null;
  guess.move(at(50));
  guess.sent(seq, true);
  await vi.advanceTimersByTimeAsync(SLOW_MS);
  expect(shown).toEqual([[0, 15, 50]]);
  guess.told(seq);
});

test("a figure that comes after the kernel's is not shown", async () => {
  await slowly();
  seq += 1;
  painted(45);
  guess.sent(seq, true);
  vi.advanceTimersByTime(SLOW_MS);
  guess.told(seq);
  await vi.advanceTimersByTimeAsync(1000);
  expect(shown).toEqual([]);
});
