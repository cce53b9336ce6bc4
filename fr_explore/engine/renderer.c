// The renderer: draws avatars and applies image attributes to any picture. README.md is the interface for hosts.
//
// The way of a picture, one stage after the other, each in its own file:
//
//   head.c, person.c   read the blobs that Python packed, and check every length, index and number in them
//   mesh.c             the person's vertices at an age, with an expression, turned, seen by the camera; their normals
//   textures.c         textures without details finer than a pixel; a skin at an age
//   skin.c, hair.c     light and colour at the vertices, and details that are painted on fragments
//   raster.c           which triangle of the head is visible at each of the 15 samples of a pixel
//   order.c            hair, lashes and glasses sorted from front to back
//   layers.c           them in front of the head; how much light comes through
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
#include "textures.c"
#include "skin.c"
#include "hair.c"
#include "raster.c"
#include "order.c"
#include "layers.c"
#include "picture.c"
#include "adjust.c"

enum { SMALLEST = 32, LARGEST_SIDE = 2048, BAND_PIXELS = 1 << 12, MOST_FRAGMENTS = 1 << 19 };

static u32 inbox_bytes;
static Fragment *fragments, *fragments_used, *fragments_end;
static struct {
  int slot, side;    // of the last picture
  int top, bottom;   // the rows of it that were drawn
  int plain, parts;  // whether the picture before the image attributes, and all fragments, are valid
  Values values;
} last;

static void forget_picture(void) {
  frame_end = kept_end;
  inbox_bytes = 0;
  last.plain = last.parts = last.side = last.bottom = 0;
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
  if (!code) code = make_textures();
  u64 triangles = 1ull + head.whole.count + head.glasses.mesh.count, most_hair = 0;
  for (int i = 0; i < STYLES; i++) most_hair = most_hair > head.hair[i].worn.mesh.count ? most_hair : head.hair[i].worn.mesh.count;
  if (!code && triangles + most_hair > 65535) code = failure(BAD_SECTION, "triangles");
  if (!code && !make_solid()) code = failure(NO_MEMORY, "head");
  if (!code) code = make_layers(triangles + most_hair);
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

// Lay out the frame for a picture of `size` pixels. It is drawn in bands, so that their samples stay in
// the processor's cache.
static int make_frame(int size) {
  u32 rows = BAND_PIXELS / size < size ? BAND_PIXELS / size : size, pixels = rows * size;
  u64 enough = 4ull * size * size + 32768, room = enough < MOST_FRAGMENTS ? enough : MOST_FRAGMENTS;
  forget_picture();
  side = size;
  band.top = 0, band.bottom = (int)rows, band.across = ((u32)size + TILE - 1) / TILE;
  band.near = frame((u64)pixels * SAMPLES * 4);
  band.triangle = frame((u64)pixels * SAMPLES * 2);
  band.through = frame((u64)pixels * 64);
  band.solid = frame((u64)pixels * 64);
  band.state = frame(pixels);
  band.tiles = frame((rows + TILE) * (size + TILE) * sizeof(float) / TILE);
  band.least = frame((rows + TILE) * (size + TILE) * sizeof(float));
  fragments = frame(room * sizeof(Fragment));
  fragments_end = fragments + room;
  picture.canvas = frame((u64)size * size * sizeof(vec));
  picture.free = frame((u64)size * size * 4);
  picture.line = frame((size + 8) * sizeof(vec));
  if (!band.near || !band.triangle || !band.through || !band.solid || !band.state || !band.tiles || !band.least ||
      !fragments || !picture.canvas || !picture.free || !picture.line)
    return failure(NO_MEMORY, "picture");
  TRY(make_picture(size, size));
  last.side = size;
  return FINE;
}

static void clear_band(void) {
  int pixels = (band.bottom - band.top) * side;
  __builtin_memset(band.near, 0, (unsigned long)pixels * SAMPLES * 4);
  __builtin_memset(band.triangle, 0, (unsigned long)pixels * SAMPLES * 2);
  __builtin_memset(band.state, UNTOUCHED, (unsigned long)pixels);
}

static void arrange(const Person *person) {
  const Hair *hair = person->style >= 0 ? head.hair + person->style : 0;
  looks[HEAD].visible = looks[LASHES].visible = body.visible;
  looks[HAIR].visible = strands.visible, looks[GLASSES].visible = frames.visible;
  looks[HEAD].mesh = hair ? head.haired : head.bare, looks[HEAD].screen = body.screen;
  looks[LASHES].mesh = head.lashes, looks[LASHES].screen = body.screen;
  looks[HAIR].mesh = hair ? hair->worn.mesh : (Mesh){0, 0}, looks[HAIR].screen = strands.screen;
  looks[GLASSES].mesh = now.glasses > 0 ? head.glasses.mesh : (Mesh){0, 0}, looks[GLASSES].screen = frames.screen;
}

static void shape(const Person *person) {
  pose();
  shape_body(person);
  if (person->style >= 0) {
    soften_hair(head.hair + person->style);
    shape_hair(person);
  }
  if (now.glasses > 0) shape_glasses();
  find_landmarks();
}

// Light and colour at the corners of what is visible.
static void light(Person *person) {
  place_lamp();
  mix_paint(person);
  soften_textures(person);
  light_body(person);
  if (person->style >= 0) light_hair(person);
  if (now.glasses > 0) light_glasses();
}

// Room for the fragments of a triangle or of a pixel. If there is none, draw those that there are and forget them.
static Fragment *with_room(Person *person, Fragment *used, u32 count) {
  if (used + count <= fragments_end) return used;
  find_visible(fragments, used);
  light(person);
  draw(person, fragments, used);
  last.parts = 0;
  return fragments;
}

// The tent of `develop` reaches into the rows above and below.
static int first_row(void) { return last.top > 0 ? last.top - 1 : 0; }
static int end_row(void) { return last.bottom < side ? last.bottom + 1 : side; }

static void find_fragments(Person *person) {
  int rows = band.bottom - band.top, end_of_all = end_row();
  const Hair *hair = person->style >= 0 ? head.hair + person->style : 0;
  Fragment *used = fragments;
  last.parts = 1;
  find_solid();
  sort_layers();
  for (int top = first_row(); top < end_of_all; top += rows) {
    band.top = top, band.bottom = top + rows < end_of_all ? top + rows : end_of_all;
    clear_band();
    rasterise();
    if (layers.count) find_least();
    for (const Span *s = layers.spans, *end = s + layers.count; s < end; s++) {
      if (s->top >= band.bottom || s->bottom <= band.top) continue;
      used = with_room(person, used, (u32)((band.bottom - band.top) * side));
      if (!hidden(s)) used = draw_veil(s, hair, used);
    }
    for (int y = band.top; y < band.bottom; y++) {
      const u16 *samples = band.triangle + ROWS * (y - band.top) * side * COLUMNS;
      used = with_room(person, used, (u32)(SAMPLES * side));
      for (int x = 0; x < side; x++)
        used = fragments_of(samples + x * COLUMNS, side * COLUMNS, x, y, picture.free + y * side + x, used);
    }
  }
  fragments_used = used;
  find_visible(fragments, used);
  band.top = 0, band.bottom = rows;
}

static void draw_person(Person *person, int reshape) {
  if (reshape) {
    shape(person);
    arrange(person);
  }
  __builtin_memset(picture.canvas, 0, (unsigned long)(side * side) * sizeof(vec));
  if (reshape) find_fragments(person);
  light(person);
  draw(person, fragments, fragments_used);
  develop(first_row(), last.top, last.bottom, end_row());
}

EXPORT("rows") int rows(u32 slot, u32 size, u32 top, u32 bottom) {
  if (!head.attached) return failure(NO_HEAD, "");
  if (slot >= SLOTS) return failure(BAD_SLOT, "");
  if (!people[slot].attached) return failure(NO_PERSON, "");
  if (size < SMALLEST || size > LARGEST_SIDE) return failure(BAD_SIZE, "");
  if (top >= bottom || bottom > size) return failure(BAD_ROWS, "");
  TRY(check_values(0));
  if (last.side != (int)size) TRY(make_frame((int)size));
  now = given;
  int same_rows = last.top == (int)top && last.bottom == (int)bottom;
  int same_person = last.plain && last.slot == (int)slot && same_rows, worn = (last.values.glasses > 0) == (now.glasses > 0);
  int reshape = !same_person || !last.parts || !worn || differ(&now, &last.values, SHAPE);
  last.top = (int)top, last.bottom = (int)bottom;
  if (reshape || differ(&now, &last.values, COLOR)) draw_person(people + slot, reshape);
  last.plain = 1, last.slot = (int)slot, last.values = now;
  picture.out = picture.plain, picture.bytes_made = 0;
  return FINE;
}

EXPORT("finish") int finish(void) {
  if (!last.bottom) return failure(NO_PICTURE, "");
  picture.out = picture.plain, picture.bytes_made = 0;
  if (now.blur != 0 || now.hue != 0 || now.saturation != 1 || now.contrast != 1 || now.brightness != 1 || now.noise != 0)
    apply_image_attributes(people[last.slot].seed);
  return FINE;
}

EXPORT("render") int render(u32 slot, u32 size) {
  TRY(rows(slot, size, 0, size));
  return finish();
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
