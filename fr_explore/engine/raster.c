// Triangles -> samples -> fragments. A pixel has 15 samples in three rows of five; the rows are offset, so that an edge
// crosses one sample at a time. Uniform samples make edges move smoothly, which finite differences of embeddings need.
//
// `rasterise` writes the nearness and the triangle of every sample of what is solid: the head. layers.c then draws what is
// transparent in front of it, and `fragments_of` makes fragments of the rest: the visible part of one triangle in one
// pixel, shaded once, at the mean of its samples.

static const float LEAST = 1 / 512.0f;  // a share of light that is too small to be drawn
enum { ROWS = 3, COLUMNS = 5, SAMPLES = ROWS * COLUMNS };
static const float OFFSET[6] = {0.5f / 3, 2.5f / 3, 1.5f / 3, 0.5f / 3, 2.5f / 3, 1.5f / 3};  // of rows, twice over

enum { UNTOUCHED, OPEN, CLOSED };  // state of a pixel: all light comes through; some may; none
// A triangle's corner (x, y), gradient (x, y) of nearness; gradients of the second and third weight: both x, both y.
typedef struct { vec corner, weights; } Plane;
typedef enum { HEAD, LASHES, HAIR, GLASSES, LOOKS } Look;
// weight: share of the pixel's light that comes from here; shade: of hair's texture
typedef struct { u32 pixel; u16 triangle, look; float second, third, weight, shade; } Fragment;

// What is drawn: triangles, or none; of each vertex its place in the picture, and whether it is a corner of what is visible.
static struct { Mesh mesh; const vec *screen; u8 *visible; } looks[LOOKS];

// The samples of a band: rows of pixels from `top` to `bottom`.
static struct {
  int top, bottom;
  float *near;     // nearness of every sample, row by row
  u16 *triangle;   // number of the visible triangle of every sample, 0 for none
  float *through;  // of every pixel: the share of light that comes through all layers, for 16 samples (15 in use)
  float *solid;    // and nearness of what is solid
  u8 *state;       // of every pixel
  float *least, *tiles;  // see layers.c
  u32 across;            // tiles in a row
} band;

// Rows of pixels [top, bottom) and columns [left, right] in which a triangle may have samples; nearness of its nearest corner.
typedef struct { u16 look, number, top, bottom, left, right; float nearest; } Span;

static struct { Span *spans; u32 count; Plane *planes; } solid;  // triangles of the head that face the camera

static int make_solid(void) {
  solid.spans = keep((u64)head.whole.count * sizeof(Span)), solid.planes = keep((1ull + head.whole.count) * sizeof(Plane));
  return solid.spans && solid.planes;
}

typedef struct { float x[3], y[3]; } Corners;

// A triangle's corners from the top of the picture downwards. Both triangles at an edge get its ends in this order, so
// the same arithmetic computes the edge in both, and no sample is missed or covered twice.
INLINE void in_order(vec *upper, vec *lower) {  // without a branch, which nobody could foresee
  vec a = *upper, b = *lower;
  ivec swap = a > b;
  swap = __builtin_shufflevector(swap, swap, 1, 1, 1, 1);
  *upper = choose(swap, b, a), *lower = choose(swap, a, b);
}
INLINE Corners by_height(vec a, vec b, vec c) {
  in_order(&a, &b), in_order(&b, &c), in_order(&a, &b);
  return (Corners){{a[0], b[0], c[0]}, {a[1], b[1], c[1]}};
}

// Rows of samples [first, last) of the band that a triangle may have.
INLINE ivec sample_rows(Corners at) {
  vec y = {most(at.y[0], (float)band.top), least(at.y[2], (float)band.bottom), 0, 0};
  return whole_small(ceiling(y * ROWS - 0.5f));
}

// Where the long side and the short sides of a triangle cross four rows of samples: columns of the first sample inside
// and of the first behind. `row` has the numbers of the rows, `offset` the place of their samples in a pixel.
typedef struct { vec begin, end, height; } Crossing;
INLINE vec slopes_of(Corners at) {
  return (vec){at.x[2] - at.x[0], at.x[1] - at.x[0], at.x[2] - at.x[1], 0} /
         (vec){at.y[2] - at.y[0], at.y[1] - at.y[0], at.y[2] - at.y[1], 1};
}
INLINE Crossing crossing(Corners at, vec slopes, vec row, vec offset) {
  vec height = (row + 0.5f) * (1.0f / ROWS);
  vec one = at.x[0] + (height - at.y[0]) * slopes[0];
  vec two = choose(height >= at.y[1], at.x[1] + (height - at.y[1]) * slopes[2],
                   at.x[0] + (height - at.y[0]) * slopes[1]);
  vec left = larger(all(0), smaller(one, two)), right = smaller(all((float)side), larger(one, two));
  return (Crossing){ceiling(left * COLUMNS - offset), ceiling(right * COLUMNS - offset), height};
}

// Write four samples of a row, or as many as `count` says: those at which the triangle is at least as near as what is there.
INLINE void write_samples(u32 at, int count, vec z, v128_t number) {
  const ivec place = {0, 1, 2, 3};
  float *near = band.near + at;
  u16 *triangle = band.triangle + at;
  vec there = load(near);
  ivec wins = (z >= there) & (place < count);
  store(near, choose(wins, z, there));
  v128_t mask = wasm_i16x8_narrow_i32x4((v128_t)wins, (v128_t)wins), old = wasm_v128_load64_zero(triangle);
  wasm_v128_store64_lane(triangle, wasm_v128_bitselect(number, old, mask), 0);
}

// Scan a triangle in the band, four rows of samples at a time: where the long side and the short sides cross each row.
// Most rows have at most four samples; what few have more is a second step, so that the first one needs no decision.
INLINE void scan(Corners at, vec corner, float gx, float gy, u32 number) {
  ivec range = sample_rows(at);
  int wide = side * COLUMNS, start = band.top * ROWS, first = range[0], last = range[1];
  vec slopes = slopes_of(at);
  float step = gx * (1.0f / COLUMNS);
  vec ramp = (vec){0, 1, 2, 3} * step;
  v128_t splat = wasm_u16x8_splat((u16)number);
  for (int row = first; row < last; row += 4) {
    ivec rows = row + (ivec){0, 1, 2, 3};
    vec offset = load(OFFSET + row % ROWS);
    Crossing c = crossing(at, slopes, real(rows), offset);
    vec z = corner[2] + ((c.begin + offset) * (1.0f / COLUMNS) - corner[0]) * gx + (c.height - corner[1]) * gy;
    ivec from = whole_small(c.begin), count = (whole_small(c.end) - from) & (rows < last);
    ivec places = ((rows - start) * wide + from) & (count > 0), more = count > 4;  // the first place if there are none
    for (int k = 0; k < 4; k++) write_samples((u32)places[k], count[k], z[k] + ramp, splat);
    if (!wasm_v128_any_true((v128_t)more)) continue;
    for (int k = 0; k < 4; k++) {
      vec next = z[k] + ramp;
      for (int i = 4; i < count[k]; i += 4) {
        next = next + 4 * step;
        write_samples((u32)(places[k] + i), count[k] - i, next, splat);
      }
    }
  }
}

INLINE Plane plane_of(vec a, vec p, vec q, float area) {
  vec w = (vec){q[1], -p[1], -q[0], p[0]} * (1 / area);
  return (Plane){{a[0], a[1], w[0] * p[2] + w[1] * q[2], w[2] * p[2] + w[3] * q[2]}, w};
}

INLINE Span span_of(u32 look, u32 number, vec a, vec b, vec c) {
  vec low = smaller(smaller(a, b), c), high = larger(larger(a, b), c);
  vec rows = ceiling(high), box = {low[1], rows[1], low[0], high[0]};
  ivec at = whole_small(floor4(smaller(all((float)side), larger(all(0), box))));
  int there = high[0] > 0 && low[0] < side;
  return (Span){(u16)look, (u16)number, (u16)at[0], there ? (u16)at[1] : 0, (u16)at[2],
                (u16)(at[3] < side ? at[3] : side - 1), high[2]};
}

// Find the triangles of the head that face the camera.
static void find_solid(void) {
  const Mesh *mesh = &looks[HEAD].mesh;
  const vec *screen = looks[HEAD].screen;
  solid.count = 0;
  for (u32 i = 0; i < mesh->count; i++) {
    const u16 *corners = mesh->corners + 4 * i;
    vec a = screen[corners[0]], b = screen[corners[1]], c = screen[corners[2]], p = b - a, q = c - a;
    float area = p[0] * q[1] - p[1] * q[0];  // y points down, so a front side has a negative area
    if (!(area < -1e-9f)) continue;
    Span span = span_of(HEAD, i, a, b, c);
    if (span.top >= span.bottom) continue;
    solid.planes[i + 1] = plane_of(a, p, q, area);
    solid.spans[solid.count++] = span;
  }
}

static void rasterise(void) {
  const Mesh *mesh = &looks[HEAD].mesh;
  const vec *screen = looks[HEAD].screen;
  for (const Span *s = solid.spans, *end = s + solid.count; s < end; s++) {
    if (s->top >= band.bottom || s->bottom <= band.top) continue;
    u32 number = s->number + 1u;
    const u16 *corners = mesh->corners + 4 * s->number;
    vec a = screen[corners[0]], plane = solid.planes[number].corner;
    scan(by_height(a, screen[corners[1]], screen[corners[2]]), a, plane[2], plane[3], number);
  }
}

// For each row and choice of its five samples, as bits: their number, and the sums of their x and y.
static vec chosen[ROWS][32];
static float SAMPLE_X[16], SAMPLE_Y[16];  // place of each sample in its pixel
static u8 gathering[16][16];              // see `gathered`
static void make_tables(void) {
  const float heights[ROWS] = {0.5f / 3, 0.5f, 2.5f / 3};
  for (int k = 0; k < SAMPLES; k++) {
    SAMPLE_X[k] = (k % COLUMNS + OFFSET[k / COLUMNS]) / COLUMNS, SAMPLE_Y[k] = (k / COLUMNS + 0.5f) / ROWS;
  }
  for (int row = 0; row < ROWS; row++)
    for (int bits = 0; bits < 32; bits++) {
      float n = 0, sum = 0;
      for (int k = 0; k < COLUMNS; k++) if (bits >> k & 1) n++, sum += k;
      chosen[row][bits] = (vec){n, (sum + n * OFFSET[row]) / COLUMNS, n * heights[row], 0};
    }
  for (u32 which = 0; which < 16; which++)
    for (u32 k = 0, to = 0; k < 16; k++) if (which >> k / 4 & 1) gathering[which][to++] = (u8)k;
}

INLINE vec sum_of(u32 bits) {
  return chosen[0][bits & 31] + chosen[1][bits >> COLUMNS & 31] + chosen[2][bits >> (2 * COLUMNS) & 31];
}

// Light that comes through all layers at some samples of a pixel: their sum. `count` is their number.
INLINE float light_through(u32 pixel, u32 bits, float count) {
  if (band.state[pixel] != OPEN) return band.state[pixel] ? 0 : count;
  const float *t = band.through + 16 * pixel;
  float sum = 0;
  for (; bits; bits &= bits - 1) sum += t[__builtin_ctz(bits)];
  return sum;
}

// At which of 15 numbers, eight and seven, is this one?
INLINE u32 places_of(u16 number, v128_t eight, v128_t seven) {
  v128_t all_of_them = wasm_u16x8_splat(number);
  eight = wasm_i16x8_eq(eight, all_of_them), seven = wasm_i16x8_eq(seven, all_of_them);
  return wasm_i8x16_bitmask(wasm_i8x16_narrow_i16x8(eight, seven)) & 0x7fff;
}

// Write the solid fragments of one pixel, whose samples start at `s`, and what it leaves of the background; return the
// end of what was written.
INLINE Fragment *fragments_of(const u16 *s, int wide, int x, int y, float *background, Fragment *out) {
  u32 pixel = (u32)((y - band.top) * side + x);
  *background = 0;
  if (band.state[pixel] == CLOSED) return out;
  v128_t a = wasm_v128_load(s), b = wasm_v128_load(s + wide), c = wasm_v128_load(s + 2 * wide);
  v128_t eight = wasm_i16x8_shuffle(a, b, 0, 1, 2, 3, 4, 8, 9, 10), seven = wasm_i16x8_shuffle(b, c, 3, 4, 8, 9, 10, 11, 12, 12);
  u16 numbers[16];
  wasm_v128_store(numbers, eight), wasm_v128_store(numbers + 8, seven);
  u32 free = places_of(0, eight, seven), left = free ^ 0x7fff;
  *background = light_through(pixel, free, (float)__builtin_popcount(free)) * (1.0f / SAMPLES);
  while (left) {
    u32 number = numbers[__builtin_ctz(left)], hits = places_of((u16)number, eight, seven);
    left &= ~hits;
    vec sum = sum_of(hits);
    float weight = light_through(pixel, hits, sum[0]) * (1.0f / SAMPLES);
    if (weight < LEAST) continue;
    const Plane *plane = solid.planes + number;
    vec mean = __builtin_shufflevector(sum, sum, 1, 2, 3, 3) * (1 / sum[0]);
    vec away = mean + ((vec){(float)x, (float)y, 0, 0} - plane->corner);
    vec weights = away[0] * plane->weights + away[1] * __builtin_shufflevector(plane->weights, plane->weights, 2, 3, 2, 3);
    *out++ = (Fragment){.pixel = (u32)(y * side + x), .triangle = (u16)(number - 1), .look = HEAD, .weight = weight,
                        .second = weights[0], .third = weights[1]};
  }
  return out;
}

// Find the corners of what is visible: only they need light and colour.
static void find_visible(const Fragment *f, const Fragment *end) {
  __builtin_memset(body.visible, 0, head.fine);
  __builtin_memset(strands.visible, 0, head.widest);
  __builtin_memset(frames.visible, 0, head.glasses.points);
  for (; f < end; f++) {
    const u16 *corners = looks[f->look].mesh.corners + 4 * f->triangle;
    u8 *visible = looks[f->look].visible;
    visible[corners[0]] = visible[corners[1]] = visible[corners[2]] = 1;
  }
}
