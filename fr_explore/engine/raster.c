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
typedef struct { float x, y, second_x, second_y, third_x, third_y; } Plane;  // a corner; gradients of two weights
typedef enum { HEAD, LASHES, HAIR, GLASSES, LOOKS } Look;
// weight: share of the pixel's light that comes from here; shade: of hair's texture
typedef struct { u32 pixel; u16 triangle, look; float second, third, weight, shade; } Fragment;

static struct { Mesh mesh; const vec *screen; } looks[LOOKS];  // a mesh without triangles is not drawn

// The samples of a band: rows of pixels from `top` to `bottom`.
static struct {
  int top, bottom;
  float *near;     // nearness of every sample, row by row
  u16 *triangle;   // number of the visible triangle of every sample, 0 for none
  float *through;  // of every pixel: the share of light that comes through all layers, for 16 samples (15 in use)
  float *solid;    // and nearness of what is solid
  u8 *state;       // of every pixel
  Plane *planes;
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

INLINE Plane plane_of(vec a, vec p, vec q, float area) {
  float scale = 1 / area;
  return (Plane){a[0], a[1], q[1] * scale, -q[0] * scale, -p[1] * scale, p[0] * scale};
}

static void rasterise(void) {
  const Mesh *mesh = &looks[HEAD].mesh;
  const vec *screen = looks[HEAD].screen;
  for (u32 i = 0; i < mesh->count; i++) {
    const u16 *corners = mesh->corners + 4 * i;
    vec a = screen[corners[0]], b = screen[corners[1]], c = screen[corners[2]];
    vec p = b - a, q = c - a;
    float area = p[0] * q[1] - p[1] * q[0];  // y points down, so a front side has a negative area
    if (!(area < -1e-9f)) continue;
    Plane plane = plane_of(a, p, q, area);
    band.planes[i + 1] = plane;
    float gx = plane.second_x * p[2] + plane.third_x * q[2], gy = plane.second_y * p[2] + plane.third_y * q[2];
    scan(by_height(a, b, c), a, gx, gy, i + 1, band.near);
  }
}

// For each choice of the five samples of a row, as bits: their number, and the sum of their x in each kind of row.
static float chosen[32], sum_of_x[ROWS][32];
static float SAMPLE_X[16], SAMPLE_Y[16];  // place of each sample in its pixel
static void make_tables(void) {
  for (int k = 0; k < SAMPLES; k++) {
    SAMPLE_X[k] = (k % COLUMNS + OFFSET[k / COLUMNS]) / COLUMNS, SAMPLE_Y[k] = (k / COLUMNS + 0.5f) / ROWS;
  }
  for (int bits = 0; bits < 32; bits++) {
    float n = 0, sum = 0;
    for (int k = 0; k < COLUMNS; k++) if (bits >> k & 1) n++, sum += k;
    chosen[bits] = n;
    for (int row = 0; row < ROWS; row++) sum_of_x[row][bits] = (sum + n * OFFSET[row]) / COLUMNS;
  }
}

// Mean position of samples in their pixel, given as bits of each row.
typedef struct { float x, y, count; } Mean;
INLINE Mean mean_of(u32 first, u32 second, u32 third) {
  float n = chosen[first] + chosen[second] + chosen[third], share = 1 / n;
  float y = chosen[first] * (0.5f / 3) + chosen[second] * 0.5f + chosen[third] * (2.5f / 3);
  return (Mean){(sum_of_x[0][first] + sum_of_x[1][second] + sum_of_x[2][third]) * share, y * share, n};
}

// Light that comes through all layers at some samples of a pixel: their sum.
INLINE float light_through(u32 pixel, u32 bits) {
  if (band.state[pixel] != OPEN) return band.state[pixel] ? 0 : (float)__builtin_popcount(bits);
  const float *t = band.through + 16 * pixel;
  float sum = 0;
  for (; bits; bits &= bits - 1) sum += t[__builtin_ctz(bits)];
  return sum;
}

// Write the solid fragments of one pixel, whose samples start at `s`, and what it leaves of the background; return the
// end of what was written.
INLINE Fragment *fragments_of(const u16 *s, int wide, int x, int y, float *background, Fragment *out) {
  v128_t row[ROWS], zero = wasm_i16x8_const_splat(0);
  u32 left = 0, pixel = (u32)((y - band.top) * side + x);
  *background = 0;
  if (band.state[pixel] == CLOSED) return out;
  for (int k = 0; k < ROWS; k++) {
    row[k] = wasm_v128_load(s + k * wide);
    left |= (u32)(wasm_i16x8_bitmask(wasm_i16x8_ne(row[k], zero)) & 31) << (COLUMNS * k);
  }
  *background = light_through(pixel, ~left & 0x7fff) * (1.0f / SAMPLES);
  while (left) {
    u32 k = (u32)__builtin_ctz(left), number = s[k / COLUMNS * wide + k % COLUMNS], bits[ROWS], hits;
    for (int r = 0; r < ROWS; r++)
      bits[r] = wasm_i16x8_bitmask(wasm_i16x8_eq(row[r], wasm_u16x8_splat((u16)number))) & 31;
    hits = bits[0] | bits[1] << COLUMNS | bits[2] << (2 * COLUMNS);
    left &= ~hits;
    float weight = light_through(pixel, hits) * (1.0f / SAMPLES);
    if (weight < LEAST) continue;
    Mean mean = mean_of(bits[0], bits[1], bits[2]);
    const Plane *plane = band.planes + number;
    float dx = mean.x + (x - plane->x), dy = mean.y + (y - plane->y);
    *out++ = (Fragment){
      .pixel = (u32)(y * side + x), .triangle = (u16)(number - 1), .look = HEAD, .weight = weight,
      .second = dx * plane->second_x + dy * plane->second_y, .third = dx * plane->third_x + dy * plane->third_y};
  }
  return out;
}
