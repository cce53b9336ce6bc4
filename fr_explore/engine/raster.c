// Triangles -> samples -> fragments. A pixel has 15 samples in three rows of five; the rows are offset, so that an edge
// crosses one sample at a time. Uniform samples make edges move smoothly, which finite differences of embeddings need.
//
// `rasterise` writes the nearness and the triangle of every sample that a layer reaches. `collect` turns them into
// fragments: the visible part of one triangle in one pixel, shaded once, at the mean of its samples.

enum { ROWS = 3, COLUMNS = 5, SAMPLES = ROWS * COLUMNS };
static const float OFFSET[6] = {0.5f / 3, 2.5f / 3, 1.5f / 3, 0.5f / 3, 2.5f / 3, 1.5f / 3};  // of rows, twice over

typedef struct { float x, y, second_x, second_y, third_x, third_y; } Plane;  // a corner; gradients of two weights
typedef struct { u32 pixel; u16 triangle; u8 samples, hiding; float second, third; } Fragment;
typedef enum { HEAD, LASHES, HAIR, GLASSES } Look;

// Layers are drawn over one another in their order.
typedef struct {
  Look look;
  Mesh mesh;
  const vec *screen;
  int two_sided, solid;     // solid: it hides what later layers draw behind it
  Fragment *first, *end;    // its fragments, if they are kept
  int left, top, right, bottom;  // pixels that it may reach
  u32 base;                 // number of its first triangle in the picture; 0 means none
} Layer;

// The samples of a band: rows of pixels from `top` to `bottom`.
static struct {
  int top, bottom;
  float *near, *near_before;  // nearness of every sample; a copy, for layers that are not solid
  u16 *triangle;              // number of the visible triangle of every sample
  u16 *covered;               // of every pixel: samples that a solid layer covers, as bits
  Plane *planes;
  u32 triangles;              // numbers in use
} band;

typedef struct { float x[3], y[3], near[3]; } Corners;

// A triangle's corners from the top of the picture downwards. Both triangles at an edge get its ends in this order, so
// the same arithmetic computes the edge in both, and no sample is missed or covered twice.
INLINE Corners by_height(vec a, vec b, vec c) {
  vec t;
  if (a[1] > b[1]) { t = a; a = b; b = t; }
  if (b[1] > c[1]) { t = b; b = c; c = t; }
  if (a[1] > b[1]) { t = a; a = b; b = t; }
  return (Corners){{a[0], b[0], c[0]}, {a[1], b[1], c[1]}, {0}};
}

// Write one row of samples: those at which the triangle is at least as near as what is there.
INLINE void fill_row(float *near, u16 *triangle, v128_t number, int count, vec z, float slope) {
  ivec place = {0, 1, 2, 3};
  for (int i = 0; i < count; i += 4) {
    vec there = load(near + i);
    ivec wins = (z >= there) & (place < count - i);
    if (wasm_v128_any_true((v128_t)wins)) {
      store(near + i, choose(wins, z, there));
      v128_t mask = wasm_i16x8_narrow_i32x4((v128_t)wins, (v128_t)wins), old = wasm_v128_load64_zero(triangle + i);
      wasm_v128_store64_lane(triangle + i, wasm_v128_bitselect(number, old, mask), 0);
    }
    z = z + 4 * slope;
  }
}

// Scan a triangle in the band, four rows of samples at a time: where the long side and the short sides cross each row.
INLINE void scan(Corners at, vec corner, float gx, float gy, u32 number, float *near) {
  int wide = side * COLUMNS, start = band.top * ROWS;
  int first = (int)__builtin_ceilf(most(at.y[0], (float)band.top) * ROWS - 0.5f);
  int last = (int)__builtin_ceilf(least(at.y[2], (float)band.bottom) * ROWS - 0.5f);
  if (first >= last) return;
  vec slopes = (vec){at.x[2] - at.x[0], at.x[1] - at.x[0], at.x[2] - at.x[1], 0} /
               (vec){at.y[2] - at.y[0], at.y[1] - at.y[0], at.y[2] - at.y[1], 1};
  float step = gx * (1.0f / COLUMNS);
  vec ramp = (vec){0, 1, 2, 3} * step;
  v128_t splat = wasm_u16x8_splat((u16)number);
  for (int row = first; row < last; row += 4) {
    vec height = (all((float)row) + (vec){0.5f, 1.5f, 2.5f, 3.5f}) * (1.0f / ROWS), offset = load(OFFSET + row % ROWS);
    vec one = at.x[0] + (height - at.y[0]) * slopes[0];
    vec two = choose(height >= at.y[1], at.x[1] + (height - at.y[1]) * slopes[2],
                     at.x[0] + (height - at.y[0]) * slopes[1]);
    vec begin = ceiling(larger(smaller(one, two), all(0)) * COLUMNS - offset);
    vec end = ceiling(smaller(larger(one, two), all((float)side)) * COLUMNS - offset);
    vec z = corner[2] + ((begin + offset) * (1.0f / COLUMNS) - corner[0]) * gx + (height - corner[1]) * gy;
    ivec from = whole(begin), count = whole(end) - from;
    int rows = last - row < 4 ? last - row : 4;
    for (int k = 0; k < rows; k++) {
      int n = count[k];
      if (n <= 0) continue;
      int at_sample = (row + k - start) * wide + from[k];
      fill_row(near + at_sample, band.triangle + at_sample, splat, n, z[k] + ramp, step);
    }
  }
}

// Find the pixels of the band that a layer may reach.
static void find_box(Layer *layer) {
  vec low = all(1e9f), high = all(-1e9f);
  for (u32 i = 0; i < 4 * layer->mesh.count; i++) {
    if (i % 4 == 3) continue;
    vec p = layer->screen[layer->mesh.corners[i]];
    low = smaller(low, p), high = larger(high, p);
  }
  float top = (float)band.top, bottom = (float)band.bottom;
  layer->left = (int)clamp(low[0], 0, (float)side), layer->right = (int)clamp(high[0] + 1, 0, (float)side);
  layer->top = (int)clamp(low[1], top, bottom), layer->bottom = (int)clamp(high[1] + 1, top, bottom);
}

static void rasterise(Layer *layer, float *near) {
  layer->base = band.triangles;
  band.triangles += layer->mesh.count;
  for (u32 i = 0; i < layer->mesh.count; i++) {
    const u16 *corners = layer->mesh.corners + 4 * i;
    vec a = layer->screen[corners[0]], b = layer->screen[corners[1]], c = layer->screen[corners[2]];
    vec p = b - a, q = c - a;
    float area = p[0] * q[1] - p[1] * q[0];  // y points down, so a front side has a negative area
    if (!(layer->two_sided ? magnitude(area) > 1e-9f : area < -1e-9f)) continue;
    float scale = 1 / area;
    Plane plane = {a[0], a[1], q[1] * scale, -q[0] * scale, -p[1] * scale, p[0] * scale};
    band.planes[layer->base + i] = plane;
    float gx = plane.second_x * p[2] + plane.third_x * q[2], gy = plane.second_y * p[2] + plane.third_y * q[2];
    scan(by_height(a, b, c), a, gx, gy, layer->base + i, near);
  }
}

// For each choice of the five samples of a row, as bits: their number, and the sum of their x in each kind of row.
static float chosen[32], sum_of_x[ROWS][32];
static void make_tables(void) {
  for (int bits = 0; bits < 32; bits++) {
    float n = 0, sum = 0;
    for (int k = 0; k < COLUMNS; k++) if (bits >> k & 1) n++, sum += k;
    chosen[bits] = n;
    for (int row = 0; row < ROWS; row++) sum_of_x[row][bits] = (sum + n * OFFSET[row]) / COLUMNS;
  }
}

// Write the fragments of one pixel, whose samples start at `s`; return the end of what was written.
INLINE Fragment *fragments_of(const Layer *layer, const u16 *s, int wide, int x, int y, Fragment *out) {
  v128_t base = wasm_u16x8_splat((u16)layer->base), row[ROWS];
  u32 left = 0;
  for (int k = 0; k < ROWS; k++) {
    row[k] = wasm_v128_load(s + k * wide);
    left |= (u32)(wasm_i16x8_bitmask(wasm_u16x8_ge(row[k], base)) & 31) << (COLUMNS * k);
  }
  if (!left) return out;
  u32 pixel = (u32)((y - band.top) * side + x), covered = band.covered[pixel], own = left;
  do {
    u32 k = (u32)__builtin_ctz(left), number = s[k / COLUMNS * wide + k % COLUMNS], bits[ROWS], hits;
    for (int r = 0; r < ROWS; r++)
      bits[r] = wasm_i16x8_bitmask(wasm_i16x8_eq(row[r], wasm_u16x8_splat((u16)number))) & 31;
    hits = bits[0] | bits[1] << COLUMNS | bits[2] << (2 * COLUMNS);
    left &= ~hits;
    float n = chosen[bits[0]] + chosen[bits[1]] + chosen[bits[2]], share = 1 / n;
    float dx = (sum_of_x[0][bits[0]] + sum_of_x[1][bits[1]] + sum_of_x[2][bits[2]]) * share;
    float dy = (chosen[bits[0]] * (0.5f / 3) + chosen[bits[1]] * 0.5f + chosen[bits[2]] * (2.5f / 3)) * share;
    const Plane *plane = band.planes + number;
    dx += x - plane->x, dy += y - plane->y;
    out->pixel = (u32)(y * side + x), out->triangle = (u16)(number - layer->base);
    out->samples = (u8)n, out->hiding = (u8)__builtin_popcount(hits & covered);
    out->second = dx * plane->second_x + dy * plane->second_y;
    out->third = dx * plane->third_x + dy * plane->third_y;
    out++;
  } while (left);
  if (layer->solid) band.covered[pixel] = (u16)(covered | own);
  return out;
}
