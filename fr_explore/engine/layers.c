// What is transparent: lashes, hair, glasses. All their triangles, sorted from front to back, are drawn onto the samples
// in front of the solid head. Each sample keeps the share of light that still comes through; a fragment weighs what it
// takes of this share, so that every sample is blended exactly, whatever crosses it.

static const float CLOSING = 1 / 128.0f;  // a share of light so small that the layer in front of it may have it
static const float HAIR_RAISED = 0.0009f;  // hair is drawn as if 0.1 cm nearer, so that less skin shows through it

static u64 *sorted, *other;  // of each triangle: distance in the upper 32 bits, then 16 bits each of look and number
static struct { Span *spans; u32 count; } layers;  // all triangles, from front to back

static int make_layers(u64 triangles) {
  sorted = keep(triangles * 8), other = keep(triangles * 8), layers.spans = keep(triangles * sizeof(Span));
  return sorted && other && layers.spans ? FINE : failure(NO_MEMORY, "head");
}

// Sort the triangles by the distance of their centres, nearest first. A radix sort is stable: among equal ones, the order
// is always the same.
static void sort_layers(void) {
  static u32 ends[2048];
  u32 count = 0;
  for (u32 look = LASHES; look < LOOKS; look++)
    for (u32 i = 0; i < looks[look].mesh.count; i++) {
      const u16 *c = looks[look].mesh.corners + 4 * i;
      const vec *s = looks[look].screen;
      union { float number; u32 bits; } away = {1 / (s[c[0]][2] + s[c[1]][2] + s[c[2]][2])};  // positive: sorts as its bits
      sorted[count++] = (u64)away.bits << 32 | look << 16 | i;
    }
  for (int shift = 32; shift < 64; shift += 11) {
    __builtin_memset(ends, 0, sizeof(ends));
    for (u32 i = 0; i < count; i++) ends[sorted[i] >> shift & 2047]++;
    for (u32 i = 1; i < 2048; i++) ends[i] += ends[i - 1];
    for (u32 i = count; i-- > 0;) other[--ends[sorted[i] >> shift & 2047]] = sorted[i];
    u64 *t = sorted;
    sorted = other, other = t;
  }
  layers.count = 0;
  for (u32 i = 0; i < count; i++) {
    u32 look = (u32)sorted[i] >> 16, number = (u32)sorted[i] & 65535;
    const u16 *c = looks[look].mesh.corners + 4 * number;
    const vec *s = looks[look].screen;
    Span span = span_of(look, number, s[c[0]], s[c[1]], s[c[2]]);
    if (span.top < span.bottom) layers.spans[layers.count++] = span;
  }
}

// Layers leave most of a picture alone and hide each other, so what can't be seen is left out early. `band.least` has, for
// every pixel, the least nearness that is visible there: that of its farthest solid sample, 0 if the background is visible
// and `HIDDEN` if no light comes through the layers. Pixels are stored in tiles of 4 x 4, and each tile has the least of
// them in `band.tiles`. A triangle that is farther away than this in all its tiles is left out.
static const float HIDDEN = 3e38f;
enum { TILE = 4 };

// Number of a pixel among those of all tiles; `row` is that of the band.
INLINE u32 in_tiles(u32 x, u32 row) {
  return (row / TILE * band.across + x / TILE) * TILE * TILE + row % TILE * TILE + x % TILE;
}
INLINE float least_of_tile(const float *p) {
  vec low = smaller(smaller(load(p), load(p + 4)), smaller(load(p + 8), load(p + 12)));
  return least(least(low[0], low[1]), least(low[2], low[3]));
}

// Find what is visible of the head, before the layers are drawn.
static void find_least(void) {
  int wide = side * COLUMNS;
  u32 tiles = (u32)(band.bottom - band.top + TILE - 1) / TILE * band.across;
  for (u32 i = 0; i < tiles * TILE * TILE; i += 4) store(band.least + i, all(HIDDEN));  // pixels outside of the picture
  const float *near = band.near;
  for (int y = band.top; y < band.bottom; y++, near += (ROWS - 1) * wide)
    for (int x = 0; x < side; x++, near += COLUMNS) {
      vec low = smaller(smaller(load(near), load(near + wide)), load(near + 2 * wide));
      float last = least(least(near[4], near[wide + 4]), near[2 * wide + 4]);
      float first = least(least(low[0], low[1]), least(low[2], low[3]));
      band.least[in_tiles((u32)x, (u32)(y - band.top))] = least(first, last);
    }
  for (u32 i = 0; i < tiles; i++) band.tiles[i] = least_of_tile(band.least + i * TILE * TILE);
}

// No more light comes through a pixel.
INLINE void close_pixel(int x, int y, u32 pixel) {
  u32 place = in_tiles((u32)x, (u32)(y - band.top)), tile = place / (TILE * TILE);
  float before = band.least[place];
  band.state[pixel] = CLOSED, band.least[place] = HIDDEN;
  if (before <= band.tiles[tile]) band.tiles[tile] = least_of_tile(band.least + tile * TILE * TILE);
}

// A layer has reached this pixel for the first time: gather its samples.
static void open_pixel(int x, int y, u32 pixel) {
  float *through = band.through + 16 * pixel, *solid = band.solid + 16 * pixel;
  const float *near = band.near + ((y - band.top) * ROWS * side + x) * COLUMNS;
  vec a = load(near), b = load(near + 4), c = load(near + COLUMNS * side), d = load(near + COLUMNS * side + 4);
  vec e = load(near + 2 * COLUMNS * side), f = load(near + 2 * COLUMNS * side + 4);
  store(solid, a);
  store(solid + 4, __builtin_shufflevector(b, c, 0, 4, 5, 6));
  store(solid + 8, __builtin_shufflevector(__builtin_shufflevector(c, d, 3, 4, 3, 4), e, 0, 1, 4, 5));
  store(solid + 12, __builtin_shufflevector(e, f, 2, 3, 4, 4));
  for (int k = 0; k < 3; k++) store(through + 4 * k, all(1));
  store(through + 12, (vec){1, 1, 1, 0});
  band.state[pixel] = OPEN;
}

// A triangle in progress.
typedef struct {
  u32 look, number;
  vec corner, slope_x, slope_y;  // of nearness, and of the second and third weight
  vec rises[4];                  // nearness of the samples relative to that of the pixel's corner
  float highest;                 // of them
  vec corners[3];                // column and row in the hair's texture, or opacity of a lash
} Veil;

// Of four pixels in a row, each in one number of a vec.
typedef struct { vec second, third, opacity, shade; } Shown;

// Find at which of the samples in `bits` a triangle is visible in a pixel; return how much light comes through to them.
INLINE float visible_samples(const Veil *v, u32 pixel, float near, u32 bits, u32 *hits) {
  const ivec lanes = {1, 2, 4, 8};
  const float *through = band.through + 16 * pixel, *solid = band.solid + 16 * pixel;
  ivec covered = (ivec)wasm_i32x4_splat((int)bits);
  vec total = all(0);
  *hits = 0;
  for (int k = 0; k < 4; k++) {
    ivec seen = ((covered & (lanes << (4 * k))) != 0) & (near + v->rises[k] >= load(solid + 4 * k));
    *hits |= (u32)wasm_i32x4_bitmask((v128_t)seen) << (4 * k);
    total += (vec)((ivec)load(through + 4 * k) & seen);
  }
  return sum4(total) * (1.0f / SAMPLES);
}

// What a triangle shows in four pixels from x on, given the sums that `chosen` has of the samples of each.
INLINE Shown shown(const Veil *v, const Hair *hair, int x, int y, const vec *sums) {
  vec p = sums[0], q = sums[1], s = sums[2], t = sums[3];
  vec pq = __builtin_shufflevector(p, q, 0, 1, 4, 5), st = __builtin_shufflevector(s, t, 0, 1, 4, 5);
  vec count = __builtin_shufflevector(pq, st, 0, 2, 4, 6), mean_x = __builtin_shufflevector(pq, st, 1, 3, 5, 7);
  vec mean_y = {p[2], q[2], s[2], t[2]}, share = 1 / count;
  vec dx = mean_x * share + ((vec){0, 1, 2, 3} + (float)x - v->corner[0]), dy = mean_y * share + (y - v->corner[1]);
  vec second = dx * v->slope_x[1] + dy * v->slope_y[1], third = dx * v->slope_x[2] + dy * v->slope_y[2];
  vec first = 1 - second - third, zero = all(0);
  if (v->look == GLASSES) return (Shown){second, third, all(now.glasses), zero};
  vec column = first * v->corners[0][0] + second * v->corners[1][0] + third * v->corners[2][0];
  if (v->look == LASHES) return (Shown){second, third, column, zero};
  vec row = first * v->corners[0][1] + second * v->corners[1][1] + third * v->corners[2][1];
  Strands at = strands_at(hair, column, row);
  vec opacity = choose(at.opacity < 1.0f, zero, at.opacity * (1 / 255.0f));
  return (Shown){second, third, opacity, at.shaded / at.opacity * (255 / 128.0f)};
}

// Draw four pixels of a triangle from x on; `near` is the nearness of their corners, bits[k] the samples that it covers.
INLINE Fragment *veil_pixels(const Veil *v, const Hair *hair, int x, int y, vec near, const u32 *bits, Fragment *out) {
  const ivec lanes = {1, 2, 4, 8};
  u32 first = (u32)((y - band.top) * side + x), drawn = 0, hits[TILE];
  float nears[TILE], light[TILE], second[TILE], third[TILE], opacity[TILE], shade[TILE];
  vec sums[TILE] = {all(1), all(1), all(1), all(1)};
  store(nears, near);
  for (u32 k = 0; k < TILE; k++) {
    if (!bits[k]) continue;
    if (band.state[first + k] != OPEN) open_pixel(x + (int)k, y, first + k);  // a closed one is HIDDEN
    light[k] = visible_samples(v, first + k, nears[k], bits[k], hits + k);
    if (light[k] < LEAST) continue;
    drawn |= 1u << k, sums[k] = sum_of(hits[k]);
  }
  if (!drawn) return out;
  Shown all_four = shown(v, hair, x, y, sums);
  store(second, all_four.second), store(third, all_four.third);
  store(opacity, all_four.opacity), store(shade, all_four.shade);
  if (v->look == HAIR) drawn &= (u32)wasm_i32x4_bitmask((v128_t)(all_four.opacity > 0.0f));
  for (; drawn; drawn &= drawn - 1) {
    u32 k = (u32)__builtin_ctz(drawn), pixel = first + k;
    float *through = band.through + 16 * pixel;
    ivec hit = (ivec)wasm_i32x4_splat((int)hits[k]);
    vec total = all(0);
    for (int i = 0; i < 4; i++) {
      vec open = load(through + 4 * i);
      open -= opacity[k] * (vec)((ivec)open & ((hit & (lanes << (4 * i))) != 0));
      store(through + 4 * i, open);
      total += open;
    }
    float weight = light[k] * opacity[k], rest = sum4(total) * (1.0f / SAMPLES);
    if (rest < CLOSING) close_pixel(x + (int)k, y, pixel), weight += rest;  // what is behind looks as this does
    *out++ = (Fragment){.pixel = (u32)(y * side + x) + k, .triangle = (u16)v->number, .look = (u16)v->look,
                        .second = second[k], .third = third[k], .weight = weight, .shade = shade[k]};
  }
  return out;
}

INLINE ivec clamped(ivec x, ivec high) {  // to [0, high]
  return (ivec)wasm_i32x4_max(wasm_i32x4_min((v128_t)x, (v128_t)high), wasm_i32x4_const_splat(0));
}
INLINE int least_of(int a, int b) { return a < b ? a : b; }

// Whether a triangle is hidden in all its tiles. It is flat, so none of its samples is nearer than all its corners; a
// narrow one, of which rounding may say otherwise, is not tested.
INLINE int hidden(Corners at, float nearest, int first, int last) {
  float left = least(least(at.x[0], at.x[1]), at.x[2]), right = most(most(at.x[0], at.x[1]), at.x[2]);
  u32 from = (u32)(int)clamp(left, 0, side - 1) / TILE, to = (u32)(int)clamp(right, 0, side - 1) / TILE;
  u32 top = ((u32)first / ROWS - (u32)band.top) / TILE, bottom = ((u32)(last - 1) / ROWS - (u32)band.top) / TILE;
  const float *row = band.tiles + top * band.across;
  for (u32 y = top; y <= bottom; y++, row += band.across)
    for (u32 x = from; x <= to; x++) if (nearest >= row[x]) return 0;
  return 1;
}

// Draw a triangle in the band: find where its sides cross the three rows of samples of each row of pixels.
static Fragment *draw_veil(u32 look, u32 number, const Hair *hair, Fragment *out) {
  const u16 *corners = looks[look].mesh.corners + 4 * number;
  const vec *screen = looks[look].screen;
  vec a = screen[corners[0]], b = screen[corners[1]], c = screen[corners[2]], p = b - a, q = c - a;
  float area = p[0] * q[1] - p[1] * q[0];
  if (!(magnitude(area) > 1e-9f)) return out;
  Corners at = by_height(a, b, c);
  ivec range = sample_rows(at);
  int first = range[0], last = range[1];
  if (first >= last) return out;
  float raise = look == HAIR ? 1 + HAIR_RAISED : 1, nearest = raise * 1.002f * most(most(a[2], b[2]), c[2]);
  vec sides = p * p + q * q;
  if (magnitude(area) > 1e-5f * (sides[0] + sides[1]) && hidden(at, nearest, first, last)) return out;
  Plane plane = plane_of(a, p, q, area);
  float gx = raise * (plane.second_x * p[2] + plane.third_x * q[2]);
  float gy = raise * (plane.second_y * p[2] + plane.third_y * q[2]);
  Veil v = {.look = look, .number = number, .corner = {a[0], a[1], a[2] * raise, 0},
            .slope_x = {gx, plane.second_x, plane.third_x, 0}, .slope_y = {gy, plane.second_y, plane.third_y, 0}};
  for (int k = 0; k < 4; k++) v.rises[k] = gx * load(SAMPLE_X + 4 * k) + gy * load(SAMPLE_Y + 4 * k);
  v.highest = most(gx, 0) + most(gy, 0);
  for (int k = 0; k < 3; k++) {
    if (look == HAIR) v.corners[k] = hair->places[corners[k]];
    if (look == LASHES) v.corners[k] = all(clamp(head.gloss[corners[k]], 0, 1));
  }
  vec slopes = (vec){at.x[2] - at.x[0], at.x[1] - at.x[0], at.x[2] - at.x[1], 0} /
               (vec){at.y[2] - at.y[0], at.y[1] - at.y[0], at.y[2] - at.y[1], 1};
  vec offset = load(OFFSET);
  const ivec none = {1 << 24, 1 << 24, 1 << 24, 1 << 24};
  for (int y = first / ROWS; y * ROWS < last; y++) {
    ivec row = y * ROWS + (ivec){0, 1, 2, 1 << 24};
    vec height = (all((float)(y * ROWS)) + (vec){0.5f, 1.5f, 2.5f, 3.5f}) * (1.0f / ROWS);
    vec one = at.x[0] + (height - at.y[0]) * slopes[0];
    vec two = choose(height >= at.y[1], at.x[1] + (height - at.y[1]) * slopes[2],
                     at.x[0] + (height - at.y[0]) * slopes[1]);
    ivec begin = whole(ceiling(larger(smaller(one, two), all(0)) * COLUMNS - offset));
    ivec end = whole(ceiling(smaller(larger(one, two), all((float)side)) * COLUMNS - offset));
    ivec crossed = (row >= first) & (row < last) & (begin < end);
    begin = (begin & crossed) | (none & ~crossed), end &= crossed;
    int left = least_of(least_of(begin[0], begin[1]), begin[2]), right = -least_of(least_of(-end[0], -end[1]), -end[2]);
    float rise = (y - v.corner[1]) * v.slope_y[0];
    for (int x = left / COLUMNS & ~(TILE - 1); x * COLUMNS < right; x += TILE) {
      vec near = v.corner[2] + ((vec){0, 1, 2, 3} + (float)x - v.corner[0]) * v.slope_x[0] + rise;
      u32 seen = wasm_i32x4_bitmask((v128_t)(near + v.highest >= load(band.least + in_tiles((u32)x, (u32)(y - band.top)))));
      if (!seen) continue;
      const ivec most_bits = {TILE * COLUMNS, TILE * COLUMNS, TILE * COLUMNS, TILE * COLUMNS};
      ivec low = clamped(begin - x * COLUMNS, most_bits), high = (ivec)wasm_i32x4_max((v128_t)clamped(end - x * COLUMNS, most_bits), (v128_t)low);
      u32 rows[ROWS], bits[TILE];
      for (int r = 0; r < ROWS; r++) rows[r] = (1u << high[r]) - (1u << low[r]);
      for (int k = 0; k < TILE; k++, seen >>= 1) {
        u32 all_bits = 0;
        for (int r = 0; r < ROWS; r++) all_bits |= (rows[r] >> (k * COLUMNS) & 31) << (r * COLUMNS);
        bits[k] = seen & 1 ? all_bits : 0;
      }
      out = veil_pixels(&v, hair, x, y, near, bits, out);
    }
  }
  return out;
}
