// What is transparent: lashes, hair, glasses. All their triangles, sorted from front to back, are drawn onto the samples
// in front of the solid head. Each sample keeps the share of light that still comes through; a fragment weighs what it
// takes of this share, so that every sample is blended exactly, whatever crosses it.

static const float CLOSING = 1 / 128.0f;  // a share of light so small that the layer in front of it may have it
static const float HAIR_RAISED = 0.0009f;  // hair is drawn as if 0.1 cm nearer, so that less skin shows through it

static u64 *sorted, *other;  // of each triangle: distance in the upper 32 bits, then 16 bits each of look and number
static u32 sorted_count;

static int make_layers(u64 triangles) {
  sorted = keep(triangles * 8), other = keep(triangles * 8);
  return sorted && other ? FINE : failure(NO_MEMORY, "head");
}

// Sort the triangles by the distance of their centres, nearest first. A radix sort is stable: among equal ones, the order
// is always the same.
static void sort_layers(void) {
  static u32 ends[2048];
  sorted_count = 0;
  for (u32 look = LASHES; look < LOOKS; look++)
    for (u32 i = 0; i < looks[look].mesh.count; i++) {
      const u16 *c = looks[look].mesh.corners + 4 * i;
      const vec *s = looks[look].screen;
      union { float number; u32 bits; } away = {1 / (s[c[0]][2] + s[c[1]][2] + s[c[2]][2])};  // positive: sorts as its bits
      sorted[sorted_count++] = (u64)away.bits << 32 | look << 16 | i;
    }
  for (int shift = 32; shift < 64; shift += 11) {
    __builtin_memset(ends, 0, sizeof(ends));
    for (u32 i = 0; i < sorted_count; i++) ends[sorted[i] >> shift & 2047]++;
    for (u32 i = 1; i < 2048; i++) ends[i] += ends[i - 1];
    for (u32 i = sorted_count; i-- > 0;) other[--ends[sorted[i] >> shift & 2047]] = sorted[i];
    u64 *t = sorted;
    sorted = other, other = t;
  }
}

// A layer has reached this pixel for the first time: gather its samples. The last of the 16 numbers is not a sample's: it
// is the least nearness of what is solid, 0 if the background is visible.
static void open_pixel(int x, int y, u32 pixel) {
  float *through = band.through + 16 * pixel, *solid = band.solid + 16 * pixel;
  const float *near = band.near + ((y - band.top) * ROWS * side + x) * COLUMNS;
  for (int k = 0; k < 4; k++) store(through + 4 * k, all(1));
  through[SAMPLES] = 0;
  for (int r = 0; r < ROWS; r++, near += COLUMNS * side) {
    store(solid + COLUMNS * r, load(near));
    solid[COLUMNS * r + 4] = near[4];
  }
  solid[SAMPLES] = solid[0];
  vec low = smaller(smaller(load(solid), load(solid + 4)), smaller(load(solid + 8), load(solid + 12)));
  solid[SAMPLES] = least(least(low[0], low[1]), least(low[2], low[3]));
  band.state[pixel] = OPEN;
}

// A triangle in progress.
typedef struct {
  u32 look, number;
  vec corner, slope_x, slope_y;  // of nearness, and of the second and third weight
  vec rises[4];                  // nearness of the samples relative to that of the pixel's corner
  float highest;                 // of them
  vec places[3];                 // of the corners in the hair's texture
  vec opacities;                 // of the corners of a lash
} Veil;

// Draw one pixel of a triangle, which covers the samples in `bits`.
INLINE Fragment *veil_pixel(const Veil *v, const Hair *hair, int x, int y, u32 first, u32 second, u32 third, Fragment *out) {
  const ivec lanes = {1, 2, 4, 8};
  u32 pixel = (u32)((y - band.top) * side + x), bits = first | second << COLUMNS | third << (2 * COLUMNS), hits = 0;
  if (band.state[pixel] == CLOSED) return out;
  if (!band.state[pixel]) open_pixel(x, y, pixel);
  float *through = band.through + 16 * pixel, *solid = band.solid + 16 * pixel;
  float near = v->corner[2] + (x - v->corner[0]) * v->slope_x[0] + (y - v->corner[1]) * v->slope_y[0];
  if (near + v->highest < solid[SAMPLES]) return out;
  ivec covered = (ivec)wasm_i32x4_splat((int)bits);
  vec taken[4], total = all(0);
  for (int k = 0; k < 4; k++) {
    ivec seen = ((covered & (lanes << (4 * k))) != 0) & (near + v->rises[k] >= load(solid + 4 * k));
    hits |= (u32)wasm_i32x4_bitmask((v128_t)seen) << (4 * k);
    taken[k] = (vec)((ivec)load(through + 4 * k) & seen);
    total += taken[k];
  }
  float light = sum4(total) * (1.0f / SAMPLES), opacity, shade = 0;
  if (light < LEAST) return out;
  Mean mean = mean_of(hits & 31, hits >> COLUMNS & 31, hits >> (2 * COLUMNS));
  float dx = mean.x + (x - v->corner[0]), dy = mean.y + (y - v->corner[1]);
  float b = dx * v->slope_x[1] + dy * v->slope_y[1], c = dx * v->slope_x[2] + dy * v->slope_y[2];
  if (v->look == HAIR) {
    vec at = (1 - b - c) * v->places[0] + b * v->places[1] + c * v->places[2];
    Strand s = strand(hair, at[0], at[1]);
    if (s.opacity < 1) return out;
    opacity = s.opacity * (1 / 255.0f), shade = s.shaded / s.opacity * (255 / 128.0f);
  } else if (v->look == LASHES) {
    opacity = (1 - b - c) * v->opacities[0] + b * v->opacities[1] + c * v->opacities[2];
  } else {
    opacity = now.glasses;
  }
  total = all(0);
  for (int k = 0; k < 4; k++) {
    vec open = load(through + 4 * k) - opacity * taken[k];
    store(through + 4 * k, open);
    total += open;
  }
  float weight = light * opacity, rest = sum4(total) * (1.0f / SAMPLES);
  if (rest < CLOSING) band.state[pixel] = CLOSED, weight += rest;  // what is behind looks as this does
  *out = (Fragment){.pixel = (u32)(y * side + x), .triangle = (u16)v->number, .look = (u16)v->look, .second = b,
                    .third = c,   .weight = weight, .shade = shade};
  return out + 1;
}

INLINE int least_of(int a, int b) { return a < b ? a : b; }
enum { STRIDE = 64 / COLUMNS };  // pixels whose samples of a row fit into 64 bits

// Samples of a row in [begin, end), as bits, counted from the first sample of the pixel at x.
INLINE u64 bits_between(int begin, int end, int x) {
  begin -= x * COLUMNS, end -= x * COLUMNS;
  begin = begin < 0 ? 0 : begin > STRIDE * COLUMNS ? STRIDE * COLUMNS : begin;
  end = end < begin ? begin : end > STRIDE * COLUMNS ? STRIDE * COLUMNS : end;
  return (1ull << end) - (1ull << begin);
}

// Draw a triangle in the band: find where its sides cross the three rows of samples of each row of pixels.
static Fragment *draw_veil(u32 look, u32 number, const Hair *hair, Fragment *out) {
  const u16 *corners = looks[look].mesh.corners + 4 * number;
  const vec *screen = looks[look].screen;
  vec a = screen[corners[0]], b = screen[corners[1]], c = screen[corners[2]], p = b - a, q = c - a;
  float area = p[0] * q[1] - p[1] * q[0];
  if (!(magnitude(area) > 1e-9f)) return out;
  Corners at = by_height(a, b, c);
  int first = (int)__builtin_ceilf(most(at.y[0], (float)band.top) * ROWS - 0.5f);
  int last = (int)__builtin_ceilf(least(at.y[2], (float)band.bottom) * ROWS - 0.5f);
  if (first >= last) return out;
  Plane plane = plane_of(a, p, q, area);
  float raise = look == HAIR ? 1 + HAIR_RAISED : 1;
  float gx = raise * (plane.second_x * p[2] + plane.third_x * q[2]);
  float gy = raise * (plane.second_y * p[2] + plane.third_y * q[2]);
  Veil v = {.look = look, .number = number, .corner = {a[0], a[1], a[2] * raise, 0},
            .slope_x = {gx, plane.second_x, plane.third_x, 0}, .slope_y = {gy, plane.second_y, plane.third_y, 0}};
  for (int k = 0; k < 4; k++) v.rises[k] = gx * load(SAMPLE_X + 4 * k) + gy * load(SAMPLE_Y + 4 * k);
  v.highest = most(gx, 0) + most(gy, 0);
  for (int k = 0; k < 3; k++) {
    if (look == HAIR) v.places[k] = hair->places[corners[k]];
    if (look == LASHES) v.opacities[k] = clamp(head.gloss[corners[k]], 0, 1);
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
    for (int x = left / COLUMNS; x * COLUMNS < right; x += STRIDE) {
      u64 bits[ROWS];
      for (int r = 0; r < ROWS; r++) bits[r] = bits_between(begin[r], end[r], x);
      for (int k = x; bits[0] | bits[1] | bits[2]; k++) {
        u32 a0 = (u32)bits[0] & 31, a1 = (u32)bits[1] & 31, a2 = (u32)bits[2] & 31;
        if (a0 | a1 | a2) out = veil_pixel(&v, hair, k, y, a0, a1, a2, out);
        for (int r = 0; r < ROWS; r++) bits[r] >>= COLUMNS;
      }
    }
  }
  return out;
}
