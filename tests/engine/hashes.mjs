// Print the hashes of the pinned pictures as JSON: node hashes.mjs renderer.wasm hashes.json FOLDER
// The folder holds the blobs "head" and "person0", "person1", ...
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const [, , module, pinned, folder] = process.argv;
const { instance } = await WebAssembly.instantiate(readFileSync(module));
const engine = instance.exports;

const view = (at, length) => new Uint8Array(engine.memory.buffer, at >>> 0, length);

function text(at) {
  const bytes = view(at, 4096);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

function check(code) {
  if (code) throw new Error(`${text(engine.words(code))} ${text(engine.subject())}`);
}

function receive(name) {
  const blob = readFileSync(`${folder}/${name}`);
  view(engine.inbox(blob.length), blob.length).set(blob);
  return blob.length;
}

const digest = (at, length) => createHash("sha256").update(view(at, length)).digest("hex");

engine.reset();
check(engine.attach_head(receive("head")));
const rules = text(engine.parameters()).trim().split("\n").map((line) => line.split(" "));
const rows = JSON.parse(readFileSync(pinned, "utf8")).map(({ identity, size, parameters }) => {
  check(engine.attach_person(receive(`person${identity}`), 0));
  const values = new Float32Array(engine.memory.buffer, engine.values(), rules.length);
  values.set(rules.map(([name, , , neutral]) => parameters[name] ?? Number(neutral)));
  check(engine.render(0, size));
  return {
    picture: digest(engine.out(), size * size * 12),
    bytes: digest(engine.rgba(), size * size * 4),
    landmarks: digest(engine.landmarks(), 40),
  };
});
console.log(JSON.stringify(rows));
