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

// The sides of a triangle: its upper and middle corner, and how far x moves with y along the long side and the short ones.
typedef struct { float x, y, middle_x, middle_y, across, upper, lower; } Sides;

// Triangles of the head that face the camera; of each its sides, the nearness at the plane's corner, its number, and the
// rows of samples [first, last) that it may have. The samples know them by their place in this list, from 1 on.
typedef struct { Sides sides; float near; u16 number, first, last, spare; } Edges;
static struct { u32 count; Edges *edges; Plane *planes; } solid;

static int make_solid(void) {
  u64 count = (u64)head.whole.count + 4;  // four are written at a time
  solid.edges = keep(count * sizeof(Edges)), solid.planes = keep(count * sizeof(Plane));
  return solid.edges && solid.planes;
}

// Four corners, each in one number of a vec.
typedef struct { vec x, y, near; } Four;

INLINE Four four_of(vec p, vec q, vec s, vec t) {
  vec pq = __builtin_shufflevector(p, q, 0, 4, 1, 5), st = __builtin_shufflevector(s, t, 0, 4, 1, 5);
  return (Four){__builtin_shufflevector(pq, st, 0, 1, 4, 5), __builtin_shufflevector(pq, st, 2, 3, 6, 7),
                (vec){p[2], q[2], s[2], t[2]}};
}
INLINE void transposed(vec p, vec q, vec s, vec t, vec to[4]) {
  vec pq = __builtin_shufflevector(p, q, 0, 4, 1, 5), st = __builtin_shufflevector(s, t, 0, 4, 1, 5);
  vec rs = __builtin_shufflevector(p, q, 2, 6, 3, 7), uv = __builtin_shufflevector(s, t, 2, 6, 3, 7);
  to[0] = __builtin_shufflevector(pq, st, 0, 1, 4, 5), to[1] = __builtin_shufflevector(pq, st, 2, 3, 6, 7);
  to[2] = __builtin_shufflevector(rs, uv, 0, 1, 4, 5), to[3] = __builtin_shufflevector(rs, uv, 2, 3, 6, 7);
}

// Bring corners into their order from the top of the picture downwards. Both triangles at an edge get its ends in this
// order, so the same arithmetic computes the edge in both, and no sample is missed or covered twice.
INLINE void in_order(Four *upper, Four *lower) {
  Four a = *upper, b = *lower;
  ivec swap = a.y > b.y;
  upper->x = choose(swap, b.x, a.x), lower->x = choose(swap, a.x, b.x);
  upper->y = choose(swap, b.y, a.y), lower->y = choose(swap, a.y, b.y);
}

// Where the sides of a triangle cross four rows of samples: columns of the first sample inside and of the first behind.
// `row` has the numbers of the rows, `offset` the place of their samples in a pixel.
typedef struct { vec begin, end, height; } Crossing;
INLINE Crossing crossing(const Sides *s, vec row, vec offset) {
  vec height = (row + 0.5f) * (1.0f / ROWS), below = height - s->y;
  vec one = s->x + below * s->across;
  vec two = choose(height >= s->middle_y, s->middle_x + (height - s->middle_y) * s->lower, s->x + below * s->upper);
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

// Scan a triangle in the band, four rows of samples at a time. Most rows have at most four samples; what few have more is
// a second step, so that the first one needs no decision.
INLINE void scan(const Edges *e, const Plane *plane, u32 number) {
  int wide = side * COLUMNS, start = band.top * ROWS, end = band.bottom * ROWS;
  int first = e->first > start ? e->first : start, last = e->last < end ? e->last : end;
  vec corner = plane->corner;
  float step = corner[2] * (1.0f / COLUMNS);
  vec ramp = (vec){0, 1, 2, 3} * step;
  v128_t splat = wasm_u16x8_splat((u16)number);
  for (int row = first; row < last; row += 4) {
    ivec rows = row + (ivec){0, 1, 2, 3};
    vec offset = load(OFFSET + row % ROWS);
    Crossing c = crossing(&e->sides, real(rows), offset);
    vec z = e->near + ((c.begin + offset) * (1.0f / COLUMNS) - corner[0]) * corner[2] + (c.height - corner[1]) * corner[3];
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

// Find the triangles of the head that face the camera and may have samples, four at a time.
static void find_solid(void) {
  const Mesh *mesh = &looks[HEAD].mesh;
  const vec *screen = looks[HEAD].screen;
  u32 found = 0;
  for (u32 i = 0; i < mesh->count; i += 4) {
    const u16 *k[4];
    for (u32 n = 0; n < 4; n++) k[n] = mesh->corners + 4 * (i + n < mesh->count ? i + n : mesh->count - 1);
    Four a = four_of(screen[k[0][0]], screen[k[1][0]], screen[k[2][0]], screen[k[3][0]]);
    Four b = four_of(screen[k[0][1]], screen[k[1][1]], screen[k[2][1]], screen[k[3][1]]);
    Four c = four_of(screen[k[0][2]], screen[k[1][2]], screen[k[2][2]], screen[k[3][2]]);
    vec px = b.x - a.x, py = b.y - a.y, qx = c.x - a.x, qy = c.y - a.y, area = px * qy - py * qx;
    vec scale = 1 / area, second_x = qy * scale, third_x = -py * scale, second_y = -qx * scale, third_y = px * scale;
    vec pz = b.near - a.near, qz = c.near - a.near;
    vec corners[4], weights[4], upper[4], lower[4];
    transposed(a.x, a.y, second_x * pz + third_x * qz, second_y * pz + third_y * qz, corners);
    transposed(second_x, third_x, second_y, third_y, weights);
    vec near = a.near;
    in_order(&a, &b), in_order(&b, &c), in_order(&a, &b);
    transposed(a.x, a.y, b.x, b.y, upper);
    transposed((c.x - a.x) / (c.y - a.y), (b.x - a.x) / (b.y - a.y), (c.x - b.x) / (c.y - b.y), near, lower);
    vec first = ceiling(larger(all(0), a.y) * ROWS - 0.5f), last = ceiling(smaller(all((float)side), c.y) * ROWS - 0.5f);
    vec left = smaller(smaller(a.x, b.x), c.x), right = larger(larger(a.x, b.x), c.x);
    // y points down, so a front side has a negative area
    ivec there = (area < -1e-9f) & (first < last) & (right > 0.0f) & (left < (float)side);
    there &= (int)i + (ivec){0, 1, 2, 3} < (int)mesh->count;
    ivec rows = whole_small(first) | whole_small(last) << 16;
    for (u32 n = 0; n < 4; n++) {
      Edges *e = solid.edges + found;
      store(&e->sides, upper[n]), store(&e->sides.across, lower[n]);
      e->number = (u16)(i + n), e->first = (u16)rows[n], e->last = (u16)((u32)rows[n] >> 16);
      solid.planes[found] = (Plane){corners[n], weights[n]};
      found -= there[n];
    }
  }
  solid.count = found;
}

static void rasterise(void) {
  for (u32 i = 0; i < solid.count; i++) {
    const Edges *e = solid.edges + i;
    if (e->first < band.bottom * ROWS && e->last > band.top * ROWS) scan(e, solid.planes + i, i + 1);
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
    const Plane *plane = solid.planes + number - 1;
    vec mean = __builtin_shufflevector(sum, sum, 1, 2, 3, 3) * (1 / sum[0]);
    vec away = mean + ((vec){(float)x, (float)y, 0, 0} - plane->corner);
    vec weights = away[0] * plane->weights + away[1] * __builtin_shufflevector(plane->weights, plane->weights, 2, 3, 2, 3);
    *out++ = (Fragment){.pixel = (u32)(y * side + x), .triangle = solid.edges[number - 1].number, .look = HEAD, .weight = weight,
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
