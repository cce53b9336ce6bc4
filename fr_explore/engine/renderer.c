// The renderer: draws avatars and applies image attributes to any picture. README.md is the interface for hosts.
//
// The way of a picture, one stage after the other, each in its own file:
//
//   head.c, person.c   read the blobs that Python packed, and check every length, index and number in them
//   mesh.c             the person's vertices at an age, with an expression, turned, seen by the camera; their normals
//   skin.c, hair.c     light and colour at the vertices, and details that are painted on fragments
//   raster.c           which triangle is visible at each of the 15 samples of a pixel, layer by layer
//   picture.c          fragments drawn on a canvas, background, anti-aliasing filter, sRGB
//   adjust.c           image attributes: blur, hue, saturation, contrast, brightness, noise
//
// math.h and memory.h are below all of them: functions that C's library would provide, memory, errors and blobs.
// Everything is one translation unit, so that the compiler sees it whole; there is no C library and there are no imports.
//
// How to read it: `vec` is four floats that are computed at once (WebAssembly's SIMD): a point, a colour, or four
// neighbours. Operators work on all four; a single number is repeated. `f ? x : y` per number is `choose(f, x, y)`.
//
// Determinism: only operations that IEEE 754 fixes, in a fixed order, on one thread; no relaxed SIMD. Pinned hashes of
// pictures are tested in several hosts.
//
// Reuse: what a change of parameters leaves valid is kept. A change of light or colour keeps vertices and fragments; a
// change of image attributes keeps the picture before them.

#include "math.h"
#include "memory.h"
#include "parameters.h"
#include "head.c"
#include "person.c"
#include "blur.c"
#include "mesh.c"
#include "skin.c"
#include "hair.c"
#include "raster.c"
#include "picture.c"
#include "adjust.c"

enum { SMALLEST = 32, LARGEST_SIDE = 2048, BAND_PIXELS = 1 << 17, LAYERS = 5 };

static u32 inbox_bytes;
static Layer layers[LAYERS];
static int layer_count;
static Fragment *fragments, *fragments_end;
static struct {
  int slot, side;    // of the last picture
  int plain, parts;  // whether the picture before the image attributes, and all fragments, are valid
  Values values;
} last;

static void forget_picture(void) {
  frame_end = kept_end;
  inbox_bytes = 0;
  last.plain = last.parts = last.side = 0;
  picture.opened = 0, picture.out = 0;
}

EXPORT("reset") void reset(void) {
  kept_end = (u32)&__heap_base;
  __builtin_memset(&head, 0, sizeof(head));
  __builtin_memset(people, 0, sizeof(people));
  forget_picture();
}

EXPORT("inbox") u8 *inbox(u32 bytes) {
  if (!kept_end) reset();
  forget_picture();
  u8 *at = frame(bytes);
  inbox_bytes = at ? bytes : 0;
  return at;
}

static const Blob *received(void) { return (const Blob *)((kept_end + 63) & ~63u); }

EXPORT("attach_head") int attach_head(u32 bytes) {
  if (head.attached) return failure(HEAD_TWICE, "");
  if (!bytes || bytes > inbox_bytes) return failure(NOT_A_BLOB, "HEAD");
  const Blob *blob = received();
  u32 end = kept_end;
  int code = keep(bytes) ? read_head(blob, bytes) : failure(NO_MEMORY, "head");  // the blob stays where it is
  if (!code) code = make_slots();
  if (!code) code = make_vertices();
  if (!code) code = make_chart();
  u64 triangles = 1ull + head.whole.count + head.glasses.mesh.count, most_hair = 0;
  for (int i = 0; i < STYLES; i++) {
    u64 own = (u64)head.hair[i].body.count + head.hair[i].tips.count;
    most_hair = own > most_hair ? own : most_hair;
  }
  triangles += most_hair;
  if (!code && triangles > 65535) code = failure(BAD_SECTION, "triangles");
  if (!code && !(band.planes = keep(triangles * sizeof(Plane)))) code = failure(NO_MEMORY, "head");
  if (code) {
    reset();
    kept_end = end;
    return code;
  }
  make_tables();
  head.attached = 1;
  forget_picture();
  return FINE;
}

EXPORT("attach_person") int attach_person(u32 bytes, u32 slot) {
  if (!head.attached) return failure(NO_HEAD, "");
  if (slot >= SLOTS) return failure(BAD_SLOT, "");
  if (!bytes || bytes > inbox_bytes) return failure(NOT_A_BLOB, "FACE");
  return read_person(received(), bytes, people + slot);
}

// Lay out the frame for a picture of `size` pixels. A large picture is drawn in bands, to limit the samples' memory.
static int make_frame(int size) {
  u32 rows = BAND_PIXELS / size < size ? BAND_PIXELS / size : size, pixels = rows * size;
  u64 room = 4ull * pixels + 32768;
  forget_picture();
  side = size;
  band.top = 0, band.bottom = (int)rows;
  band.near = frame((u64)pixels * SAMPLES * 4);
  band.near_before = frame((u64)pixels * SAMPLES * 4);
  band.triangle = frame((u64)pixels * SAMPLES * 2);
  band.covered = frame((u64)pixels * 2);
  fragments = frame(room * sizeof(Fragment));
  fragments_end = fragments + room;
  picture.canvas = frame((u64)size * size * sizeof(vec));
  picture.line = frame((size + 8) * sizeof(vec));
  if (!band.near || !band.near_before || !band.triangle || !band.covered || !fragments || !picture.canvas || !picture.line)
    return failure(NO_MEMORY, "picture");
  TRY(make_picture(size, size));
  last.side = size;
  return FINE;
}

static void clear_band(void) {
  int pixels = (band.bottom - band.top) * side;
  __builtin_memset(band.near, 0, (unsigned long)pixels * SAMPLES * 4);
  __builtin_memset(band.triangle, 0, (unsigned long)pixels * SAMPLES * 2);
  __builtin_memset(band.covered, 0, (unsigned long)pixels * 2);
  band.triangles = 1;
}

static void add_layer(Look look, Mesh mesh, const vec *screen, int two_sided, int solid) {
  layers[layer_count++] = (Layer){.look = look, .mesh = mesh, .screen = screen, .two_sided = two_sided, .solid = solid};
}

// Layers in the order in which they are drawn. Of hair, first the opaque body, then the thin tips in front of it, because
// transparent parts must not hide anything.
static void arrange(const Person *person) {
  int has_hair = person->style >= 0;
  layer_count = 0;
  add_layer(HEAD, has_hair ? head.haired : head.bare, body.screen, 0, 1);
  add_layer(LASHES, head.lashes, body.screen, 1, 0);
  if (has_hair) {
    add_layer(HAIR, head.hair[person->style].body, strands.screen, 1, 1);
    add_layer(HAIR, head.hair[person->style].tips, strands.screen, 1, 1);
  }
  if (now.glasses > 0) add_layer(GLASSES, head.glasses.mesh, frames.screen, 1, 1);
}

static void shape(const Person *person) {
  pose();
  shape_body(person);
  if (person->style >= 0) {
    shape_worn(&head.hair[person->style].sheet, &strands, 1);
    join_sheet(&head.hair[person->style]);
  }
  if (now.glasses > 0) shape_worn(&head.glasses, &frames, 0);
  find_landmarks();
}

static void light(Person *person) {
  place_lamp();
  mix_paint(person);
  soften_paint(person);
  light_body(person);
  if (person->style >= 0) {
    soften_pattern(person);
    light_hair(&head.hair[person->style]);
  }
  if (now.glasses > 0) light_glasses();
}

// Rasterise a layer in the band and draw its fragments, which are appended at `used` and kept if there is room.
static Fragment *draw_layer(Layer *layer, const Person *person, Fragment *used, int *kept) {
  float *near = band.near;
  int wide = side * COLUMNS;
  find_box(layer);
  if (!layer->solid) {  // its samples must not hide later layers: it is compared with a copy
    u32 start = (u32)((layer->top - band.top) * ROWS * wide), count = (u32)((layer->bottom - layer->top) * ROWS * wide);
    near = band.near_before;
    __builtin_memcpy(near + start, band.near + start, (unsigned long)count * 4);
  }
  rasterise(layer, near);
  Fragment *first = *kept ? used : fragments, *end = first;
  for (int y = layer->top; y < layer->bottom; y++)
    for (int x = layer->left; x < layer->right; x++) {
      if (end + SAMPLES > fragments_end) {  // full: draw what there is and forget it
        *kept = 0;
        draw(layer, person, first, end);
        first = end = fragments;
      }
      end = fragments_of(layer, band.triangle + ROWS * (y - band.top) * wide + COLUMNS * x, wide, x, y, end);
    }
  draw(layer, person, first, end);
  layer->first = first, layer->end = end;
  return end;
}

static void draw_bands(const Person *person) {
  int rows = band.bottom - band.top, kept = rows == side;
  for (int top = 0; top < side; top += rows) {
    Fragment *used = fragments;
    band.top = top, band.bottom = top + rows < side ? top + rows : side;
    clear_band();
    for (int i = 0; i < layer_count; i++) used = draw_layer(layers + i, person, used, &kept);
  }
  band.top = 0, band.bottom = rows;
  last.parts = kept;
}

static void draw_person(Person *person, int reshape) {
  if (reshape) {
    shape(person);
    arrange(person);
  }
  light(person);
  clear_canvas();
  if (reshape) draw_bands(person);
  else for (int i = 0; i < layer_count; i++) draw(layers + i, person, layers[i].first, layers[i].end);
  develop();
}

EXPORT("render") int render(u32 slot, u32 size) {
  if (!head.attached) return failure(NO_HEAD, "");
  if (slot >= SLOTS) return failure(BAD_SLOT, "");
  if (!people[slot].attached) return failure(NO_PERSON, "");
  if (size < SMALLEST || size > LARGEST_SIDE) return failure(BAD_SIZE, "");
  TRY(check_values(0));
  if (last.side != (int)size) TRY(make_frame((int)size));
  now = given;
  int same_person = last.plain && last.slot == (int)slot, worn = (last.values.glasses > 0) == (now.glasses > 0);
  int reshape = !same_person || !last.parts || !worn || differ(&now, &last.values, SHAPE);
  if (reshape || differ(&now, &last.values, COLOR)) draw_person(people + slot, reshape);
  last.plain = 1, last.slot = (int)slot, last.values = now;
  picture.out = picture.plain, picture.bytes_made = 0;
  if (now.blur != 0 || now.hue != 0 || now.saturation != 1 || now.contrast != 1 || now.brightness != 1 || now.noise != 0)
    apply_image_attributes(people[slot].seed);
  return FINE;
}

EXPORT("picture") float *open_picture(u32 width, u32 height) {
  if (!kept_end) reset();
  forget_picture();
  if (!width || !height || width > 65535 || height > 65535 || make_picture(width, height)) return 0;
  picture.opened = 1;
  return picture.plain;
}

EXPORT("adjust") int adjust(u32 seed) {
  if (!picture.opened) return failure(NO_PICTURE, "");
  TRY(check_values(1));
  now = given;
  apply_image_attributes(seed);
  return FINE;
}

EXPORT("grain") int grain(u32 width, u32 height, u32 seed) {
  if (!open_picture(width, height)) return failure(NO_MEMORY, "picture");
  for (u64 i = 0; i < 3ull * width * height; i += 4) store(picture.result + i, grain4((u32)(i / 4), seed));
  picture.opened = 0, picture.out = picture.result;
  return FINE;
}
