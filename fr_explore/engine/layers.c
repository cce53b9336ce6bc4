// What is transparent: lashes, hair, glasses. All their triangles, sorted from front to back, are drawn onto the samples
// in front of the solid head. Each sample keeps the share of light that still comes through; a fragment weighs what it
// takes of this share, so that every sample is blended exactly, whatever crosses it.

enum { UNTOUCHED, OPEN, CLOSED };  // state of a pixel: all light comes through; some may; hardly any
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

// A layer has reached this pixel for the first time: gather its samples.
static void open_pixel(int x, int y, u32 pixel) {
  float *through = band.through + 16 * pixel, *solid = band.solid + 16 * pixel;
  const float *near = band.near + ((y - band.top) * ROWS * side + x) * COLUMNS;
  for (int r = 0; r < ROWS; r++)
    for (int k = 0; k < COLUMNS; k++) solid[r * COLUMNS + k] = near[r * COLUMNS * side + k];
  for (int k = 0; k < 4; k++) store(through + 4 * k, all(1));
  through[SAMPLES] = 0, solid[SAMPLES] = 0;
  band.state[pixel] = OPEN;
}

// A triangle in progress.
typedef struct {
  u32 look, number;
  vec corner, slope_x, slope_y;  // of nearness, and of the second and third weight
  vec rises[4];                  // nearness of the 16 samples relative to that of the pixel's corner
  vec places[3];                 // of the corners in the hair's texture
} Veil;

// Draw one pixel of a triangle, which covers the samples in `bits`.
INLINE Fragment *veil_pixel(const Veil *v, const Hair *hair, int x, int y, u32 first, u32 second, u32 third, Fragment *out) {
  const ivec lanes = {1, 2, 4, 8};
  u32 pixel = (u32)((y - band.top) * side + x), bits = first | second << COLUMNS | third << (2 * COLUMNS), hits = 0;
  if (band.state[pixel] == CLOSED) return out;
  if (!band.state[pixel]) open_pixel(x, y, pixel);
  float *through = band.through + 16 * pixel, *solid = band.solid + 16 * pixel;
  float near = v->corner[2] + (x - v->corner[0]) * v->slope_x[0] + (y - v->corner[1]) * v->slope_y[0];
  ivec covered = (ivec)wasm_i32x4_splat((int)bits);
  vec taken[4], total = all(0);
  for (int k = 0; k < 4; k++) {
    ivec seen = ((covered & (lanes << (4 * k))) != 0) & (near + v->rises[k] >= load(solid + 4 * k));
    hits |= (u32)wasm_i32x4_bitmask((v128_t)seen) << (4 * k);
    taken[k] = (vec)((ivec)load(through + 4 * k) & seen);
    total += taken[k];
  }
  float light = sum4(total) * (1.0f / SAMPLES), opacity = 0.55f, shade = 0;
  if (light < LEAST) return out;
  Mean mean = mean_of(hits & 31, hits >> COLUMNS & 31, hits >> (2 * COLUMNS));
  float dx = mean.x + (x - v->corner[0]), dy = mean.y + (y - v->corner[1]);
  float b = dx * v->slope_x[1] + dy * v->slope_y[1], c = dx * v->slope_x[2] + dy * v->slope_y[2];
  if (v->look == HAIR) {
    vec at = (1 - b - c) * v->places[0] + b * v->places[1] + c * v->places[2];
    Strand s = strand(hair, at[0], at[1]);
    if (s.opacity < 1) return out;
    opacity = s.opacity * (1 / 255.0f), shade = s.shaded / s.opacity * (255 / 128.0f);
  } else if (v->look == GLASSES) {
    opacity = now.glasses;
  }
  total = all(0);
  for (int k = 0; k < 4; k++) {
    vec rest = load(through + 4 * k) - opacity * taken[k];
    store(through + 4 * k, rest);
    total += rest;
  }
  if (sum4(total) < LEAST * SAMPLES) band.state[pixel] = CLOSED;
  *out = (Fragment){.pixel = (u32)(y * side + x), .triangle = (u16)v->number, .look = (u16)v->look, .second = b,
                    .third = c, .weight = light * opacity, .shade = shade};
  return out + 1;
}

// Samples of a pixel's row in [begin, end), as bits; both are counted from the pixel's first sample.
INLINE u32 bits_between(int begin, int end) {
  begin = begin < 0 ? 0 : begin > COLUMNS ? COLUMNS : begin;
  end = end < begin ? begin : end > COLUMNS ? COLUMNS : end;
  return (1u << end) - (1u << begin);
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
  if (look == HAIR) for (int k = 0; k < 3; k++) v.places[k] = hair->places[corners[k]];
  vec slopes = (vec){at.x[2] - at.x[0], at.x[1] - at.x[0], at.x[2] - at.x[1], 0} /
               (vec){at.y[2] - at.y[0], at.y[1] - at.y[0], at.y[2] - at.y[1], 1};
  vec offset = load(OFFSET);
  for (int y = first / ROWS; y * ROWS < last; y++) {
    vec height = (all((float)(y * ROWS)) + (vec){0.5f, 1.5f, 2.5f, 3.5f}) * (1.0f / ROWS);
    vec one = at.x[0] + (height - at.y[0]) * slopes[0];
    vec two = choose(height >= at.y[1], at.x[1] + (height - at.y[1]) * slopes[2],
                     at.x[0] + (height - at.y[0]) * slopes[1]);
    ivec begin = whole(ceiling(larger(smaller(one, two), all(0)) * COLUMNS - offset));
    ivec end = whole(ceiling(smaller(larger(one, two), all((float)side)) * COLUMNS - offset));
    int left = side * COLUMNS, right = 0;
    for (int r = 0; r < ROWS; r++) {
      int row = y * ROWS + r;
      if (row < first || row >= last || begin[r] >= end[r]) { begin[r] = end[r] = 0; continue; }
      left = begin[r] < left ? begin[r] : left, right = end[r] > right ? end[r] : right;
    }
    for (int x = left / COLUMNS; x * COLUMNS < right; x++) {
      int s = x * COLUMNS;
      u32 bits[ROWS];
      for (int r = 0; r < ROWS; r++) bits[r] = bits_between(begin[r] - s, end[r] - s);
      if (bits[0] | bits[1] | bits[2]) out = veil_pixel(&v, hair, x, y, bits[0], bits[1], bits[2], out);
    }
  }
  return out;
}
