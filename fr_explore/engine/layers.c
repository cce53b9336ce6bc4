// What is transparent: lashes, hair, glasses. All their triangles, sorted from front to back, are drawn onto the samples
// in front of the solid head. Each sample keeps the share of light that still comes through; a fragment weighs what it
// takes of this share, so that every sample is blended exactly, whatever crosses it.

static const float CLOSING = 1 / 128.0f;  // a share of light so small that the layer in front of it may have it
static const float HAIR_RAISED = 0.0009f;  // hair is drawn as if 0.1 cm nearer, so that less skin shows through it

// Layers leave most of a picture alone and hide each other, so what can't be seen is left out early. `band.least` has, for
// every pixel, the least nearness that is visible there: that of its farthest solid sample, 0 if the background is visible
// and `HIDDEN` if no light comes through the layers. Pixels are stored in tiles of 4 x 4, and each tile has the least of
// them in `band.tiles`. A triangle that is farther away than this in all its tiles is left out.
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
INLINE void close_pixel(u32 pixel) {
  u32 row = pixel / (u32)side, place = in_tiles(pixel - row * (u32)side, row), tile = place / (TILE * TILE);
  float before = band.least[place];
  band.state[pixel] = CLOSED, band.least[place] = HIDDEN;
  if (before <= band.tiles[tile]) band.tiles[tile] = least_of_tile(band.least + tile * TILE * TILE);
}

// A layer has reached this pixel for the first time: gather its samples.
static void open_pixel(u32 pixel) {
  float *through = band.through + 16 * pixel, *solid = band.solid + 16 * pixel;
  u32 row = pixel / (u32)side;
  const float *near = band.near + (pixel + row * (ROWS - 1) * (u32)side) * COLUMNS;
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
  Plane plane;     // of what may be raised, see HAIR_RAISED
  float near;      // of the plane's corner
  vec rises[4];    // nearness of the samples relative to that of the pixel's corner
  vec corners[3];  // column and row in the hair's texture, or opacity of a lash
} Veil;

// Some of its pixels: nearness of the corner, the samples that it covers or shows, the light that comes through to them.
enum { SOME = 56, ROOM = SOME + 8 };
static struct { float x[ROOM], y[ROOM], near[ROOM], light[ROOM]; u32 pixel[ROOM], bits[ROOM]; } some;

// Of four pixels, each in one number of a vec.
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

// What a triangle shows in four of the pixels, from number n on.
INLINE Shown shown(const Veil *v, const Hair *hair, u32 n) {
  vec p = sum_of(some.bits[n]), q = sum_of(some.bits[n + 1]), s = sum_of(some.bits[n + 2]), t = sum_of(some.bits[n + 3]);
  vec pq = __builtin_shufflevector(p, q, 0, 1, 4, 5), st = __builtin_shufflevector(s, t, 0, 1, 4, 5);
  vec count = __builtin_shufflevector(pq, st, 0, 2, 4, 6), mean_x = __builtin_shufflevector(pq, st, 1, 3, 5, 7);
  vec mean_y = {p[2], q[2], s[2], t[2]}, share = 1 / count;
  vec corner = v->plane.corner, weights = v->plane.weights;
  vec dx = mean_x * share + (load(some.x + n) - corner[0]), dy = mean_y * share + (load(some.y + n) - corner[1]);
  vec second = dx * weights[0] + dy * weights[2], third = dx * weights[1] + dy * weights[3];
  vec first = 1 - second - third, zero = all(0);
  if (v->look == GLASSES) return (Shown){second, third, all(now.glasses), zero};
  vec column = first * v->corners[0][0] + second * v->corners[1][0] + third * v->corners[2][0];
  if (v->look == LASHES) return (Shown){second, third, column, zero};
  vec row = first * v->corners[0][1] + second * v->corners[1][1] + third * v->corners[2][1];
  Strands at = strands_at(hair, column, row);
  vec opacity = choose(at.opacity < 1.0f, zero, at.opacity * (1 / 255.0f));
  return (Shown){second, third, opacity, at.shaded / at.opacity * (255 / 128.0f)};
}

// Take `opacity` of the light that still comes through to some samples of a pixel; return what is left of it.
INLINE float darken(u32 pixel, u32 bits, float opacity) {
  const ivec lanes = {1, 2, 4, 8};
  float *through = band.through + 16 * pixel;
  ivec hit = (ivec)wasm_i32x4_splat((int)bits);
  vec total = all(0);
  for (int k = 0; k < 4; k++) {
    vec open = load(through + 4 * k);
    open -= opacity * (vec)((ivec)open & ((hit & (lanes << (4 * k))) != 0));
    store(through + 4 * k, open);
    total += open;
  }
  return sum4(total) * (1.0f / SAMPLES);
}

// What the pixels of a triangle need to be drawn.
INLINE void unfold(Veil *v, const Hair *hair) {
  const u16 *corners = looks[v->look].mesh.corners + 4 * v->number;
  vec plane = v->plane.corner;
  for (int k = 0; k < 4; k++) v->rises[k] = plane[2] * load(SAMPLE_X + 4 * k) + plane[3] * load(SAMPLE_Y + 4 * k);
  for (int k = 0; k < 3; k++) {
    if (v->look == HAIR) v->corners[k] = hair->places[corners[k]];
    if (v->look == LASHES) v->corners[k] = all(clamp(head.gloss[corners[k]], 0, 1));
  }
}

// Draw the first `count` of the pixels.
static Fragment *veil_pixels(Veil *v, const Hair *hair, u32 count, Fragment *out) {
  u32 lit = 0;
  unfold(v, hair);
  for (u32 n = 0; n < count; n++) {
    u32 pixel = some.pixel[n], hits;
    if (band.state[pixel] != OPEN) open_pixel(pixel);  // a closed one is HIDDEN
    float light = visible_samples(v, pixel, some.near[n], some.bits[n], &hits);
    some.x[lit] = some.x[n], some.y[lit] = some.y[n], some.pixel[lit] = pixel, some.bits[lit] = hits;
    some.light[lit] = light;
    lit += !(light < LEAST);
  }
  for (u32 k = lit; k < lit + 3; k++) some.x[k] = some.y[k] = 0, some.bits[k] = 1;  // four are computed at a time
  for (u32 n = 0; n < lit; n += 4) {
    float second[4], third[4], opacity[4], shade[4];
    Shown four = shown(v, hair, n);
    store(second, four.second), store(third, four.third), store(opacity, four.opacity), store(shade, four.shade);
    for (u32 k = 0; k < 4 && n + k < lit; k++) {
      if (v->look == HAIR && !(opacity[k] > 0)) continue;
      u32 pixel = some.pixel[n + k];
      float weight = some.light[n + k] * opacity[k], rest = darken(pixel, some.bits[n + k], opacity[k]);
      if (rest < CLOSING) close_pixel(pixel), weight += rest;  // what is behind looks as this does
      *out++ = (Fragment){.pixel = (u32)(band.top * side) + pixel, .triangle = (u16)v->number, .look = (u16)v->look,
                          .second = second[k], .third = third[k], .weight = weight, .shade = shade[k]};
    }
  }
  return out;
}

// Whether a triangle is hidden in all its tiles.
INLINE int hidden(const Span *s) {
  int top = s->top > band.top ? s->top : band.top, bottom = s->bottom < band.bottom ? s->bottom : band.bottom;
  u32 first = (u32)(top - band.top) / TILE, last = (u32)(bottom - 1 - band.top) / TILE;
  const float *row = band.tiles + first * band.across;
  for (u32 y = first; y <= last; y++, row += band.across)
    for (u32 x = s->left / TILE; x <= s->right / TILE; x++) if (s->nearest >= row[x]) return 0;
  return 1;
}

// The samples, as bits, of each of four pixels in a row: those from `begin` on and before `end`, which are counted from
// the first pixel on, for the three rows of samples.
INLINE ivec covered(ivec begin, ivec end) {
  const v128_t firsts = wasm_i8x16_const(0, 0, 0, 0, 5, 5, 5, 5, 10, 10, 10, 10, 15, 15, 15, 15);
  const v128_t powers = wasm_i8x16_const(1, 2, 4, 8, 16, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const v128_t none = wasm_i8x16_const_splat(0), columns = wasm_i8x16_const_splat(COLUMNS);
  v128_t both = wasm_i16x8_narrow_i32x4((v128_t)begin, (v128_t)end);
  both = wasm_i8x16_narrow_i16x8(both, both);
  v128_t from = wasm_i8x16_sub_sat(wasm_i32x4_shuffle(both, both, 0, 0, 0, 0), firsts);
  v128_t to = wasm_i8x16_sub_sat(wasm_i32x4_shuffle(both, both, 1, 1, 1, 1), firsts);
  from = wasm_i8x16_min(wasm_i8x16_max(from, none), columns);
  to = wasm_i8x16_min(wasm_i8x16_max(to, from), columns);
  ivec rows = (ivec)wasm_i8x16_sub(wasm_i8x16_swizzle(powers, to), wasm_i8x16_swizzle(powers, from));
  return (rows & 31) | (rows >> (8 - COLUMNS) & 31 << COLUMNS) | (rows >> (16 - 2 * COLUMNS) & 31 << 2 * COLUMNS);
}

// Those of four numbers whose bit is set, one after the other.
INLINE vec gathered(vec x, u32 which) { return (vec)wasm_i8x16_swizzle((v128_t)x, wasm_v128_load(gathering[which])); }

// Three rows of four numbers as four rows of three.
INLINE void transpose(const ivec from[ROWS], ivec to[4]) {
  ivec low = __builtin_shufflevector(from[0], from[1], 0, 4, 1, 5), high = __builtin_shufflevector(from[0], from[1], 2, 6, 3, 7);
  to[0] = __builtin_shufflevector(low, from[2], 0, 1, 4, 4), to[1] = __builtin_shufflevector(low, from[2], 2, 3, 5, 5);
  to[2] = __builtin_shufflevector(high, from[2], 0, 1, 6, 6), to[3] = __builtin_shufflevector(high, from[2], 2, 3, 7, 7);
}

INLINE void begin(Veil *v, const Span *s, vec a, vec p, vec q) {
  vec w = (vec){q[1], -p[1], -q[0], p[0]} * (1 / (p[0] * q[1] - p[1] * q[0]));
  float raise = s->look == HAIR ? 1 + HAIR_RAISED : 1, gx = w[0] * p[2] + w[1] * q[2], gy = w[2] * p[2] + w[3] * q[2];
  v->look = s->look, v->number = s->number, v->near = a[2] * raise;
  v->plane = (Plane){{a[0], a[1], raise * gx, raise * gy}, w};
}

INLINE void by_height(vec *upper, vec *lower) {  // as `in_order`, of one triangle
  vec a = *upper, b = *lower;
  ivec swap = a > b;
  swap = __builtin_shufflevector(swap, swap, 1, 1, 1, 1);
  *upper = choose(swap, b, a), *lower = choose(swap, a, b);
}

// Draw a triangle in the band: find where its sides cross the three rows of samples of four rows of pixels at a time.
static Fragment *draw_veil(const Span *s, const Hair *hair, Fragment *out) {
  const u16 *corners = looks[s->look].mesh.corners + 4 * s->number;
  const vec *screen = looks[s->look].screen;
  vec a = screen[corners[0]], b = screen[corners[1]], c = screen[corners[2]];
  Veil v;
  begin(&v, s, a, b - a, c - a);
  by_height(&a, &b), by_height(&b, &c), by_height(&a, &b);
  ivec rows = whole_small(ceiling((vec){most(a[1], (float)band.top), least(c[1], (float)band.bottom), 0, 0} * ROWS - 0.5f));
  int first = rows[0], last = rows[1];
  if (first >= last) return out;
  vec slopes = (vec){c[0] - a[0], b[0] - a[0], c[0] - b[0], 0} / (vec){c[1] - a[1], b[1] - a[1], c[1] - b[1], 1};
  const Sides sides = {a[0], a[1], b[0], b[1], slopes[0], slopes[1], slopes[2]};
  vec plane = v.plane.corner;
  float highest = most(plane[2], 0) + most(plane[3], 0);  // a sample's nearness above that of its pixel's corner
  u32 count = 0;
  for (int y = first / ROWS; y * ROWS < last; y += 4) {
    ivec begin[ROWS], end[ROWS], begins[4], ends[4], left = {1 << 24, 1 << 24, 1 << 24, 1 << 24}, right = {0, 0, 0, 0};
    const ivec none = left;
    for (int r = 0; r < ROWS; r++) {
      ivec row = y * ROWS + r + (ivec){0, ROWS, 2 * ROWS, 3 * ROWS};
      Crossing x = crossing(&sides, real(row), all(OFFSET[r]));
      begin[r] = whole_small(x.begin), end[r] = whole_small(x.end);
      ivec crossed = (row >= first) & (row < last) & (begin[r] < end[r]);
      begin[r] = (begin[r] & crossed) | (none & ~crossed), end[r] &= crossed;
      left = (ivec)wasm_i32x4_min((v128_t)left, (v128_t)begin[r]), right = (ivec)wasm_i32x4_max((v128_t)right, (v128_t)end[r]);
    }
    transpose(begin, begins), transpose(end, ends);
    vec rises = (real(y + (ivec){0, 1, 2, 3}) - plane[1]) * plane[3];
    for (int k = 0; k < 4; k++)
      for (u32 x = (u32)left[k] / COLUMNS & ~(TILE - 1u); x * COLUMNS < (u32)right[k]; x += TILE) {
        vec place = (vec){0, 1, 2, 3} + (float)x, near = v.near + (place - plane[0]) * plane[2] + rises[k];
        u32 row = (u32)(y + k - band.top);
        ivec bits = covered(begins[k] - (int)(x * COLUMNS), ends[k] - (int)(x * COLUMNS));
        bits &= near + highest >= load(band.least + in_tiles(x, row));
        u32 which = wasm_i32x4_bitmask((v128_t)(bits != 0));
        if (!which) continue;
        if (count > SOME) out = veil_pixels(&v, hair, count, out), count = 0;
        store(some.x + count, gathered(place, which)), store(some.near + count, gathered(near, which));
        store(some.y + count, all((float)(y + k)));
        store(some.bits + count, gathered((vec)bits, which));
        store(some.pixel + count, gathered((vec)((int)(row * (u32)side + x) + (ivec){0, 1, 2, 3}), which));
        count += (u32)__builtin_popcount(which);
      }
  }
  return count ? veil_pixels(&v, hair, count, out) : out;
}
