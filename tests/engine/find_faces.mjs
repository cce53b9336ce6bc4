// Print the faces that the page's finder finds, as JSON: node find_faces.mjs network.wasm parts.json FOLDER
// The folder holds yunet and onet, and pictures as float32 RGB in 0.f32, 1.f32, ... with the sizes in parts.json.
import { readFileSync } from "node:fs";
import { createFinder } from "../../widgets/fr_explore_widgets/engine/detect.js";

const [, , path, given, folder] = process.argv;
const { parts, sizes } = JSON.parse(readFileSync(given, "utf8"));
const module = await WebAssembly.compile(readFileSync(path));
const bytes = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
const finder = await createFinder(module, { ...parts, yunet: bytes("yunet"), onet: bytes("onet") });
const faces = sizes.map(([height, width], i) => {
  const data = new Float32Array(bytes(`${i}.f32`).buffer);
  const found = finder.find({ data, width, height, channels: 3 });
  const again = found.length ? finder.follow({ data, width, height, channels: 3 }, [found[0].box])?.[0] : null;
  return { found, again };
});
console.log(JSON.stringify(faces));
