// Triangles of what is transparent, from front to back.

static const float HIDDEN = 3e38f;  // nearness of what nothing is in front of

// Rows of pixels [top, bottom) and columns [left, right] in which a triangle may have samples; nearness of its nearest
// corner.
typedef struct { u16 look, number, top, bottom, left, right; float nearest; } Span;

static u64 *sorted, *other;  // of each triangle: distance in the upper 32 bits, then 16 bits each of look and number
static struct { Span *spans; u32 count; } layers;  // all triangles, from front to back

static int make_layers(u64 triangles) {
  sorted = keep(triangles * 8), other = keep(triangles * 8), layers.spans = keep(triangles * sizeof(Span));
  return sorted && other && layers.spans ? FINE : failure(NO_MEMORY, "head");
}

static Span span_of(u32 look, u32 number, vec a, vec b, vec c) {
  vec low = smaller(smaller(a, b), c), high = larger(larger(a, b), c);
  vec rows = ceiling(high), box = {low[1], rows[1], low[0], high[0]};
  ivec at = whole_small(floor4(smaller(all((float)side), larger(all(0), box))));
  int there = high[0] > 0 && low[0] < side;
  return (Span){(u16)look, (u16)number, (u16)at[0], there ? (u16)at[1] : 0, (u16)at[2],
                (u16)(at[3] < side ? at[3] : side - 1), high[2]};
}

// Sort the triangles by the distance of their centres, nearest first. A radix sort is stable: among equal ones, the order
// is always the same.
static void sort_layers(void) {
  static u32 ends[2048];
  u32 count = 0, from = ~0u, to = 0;
  for (u32 look = LASHES; look < LOOKS; look++)
    for (u32 i = 0; i < looks[look].mesh.count; i++) {
      const u16 *c = looks[look].mesh.corners + 4 * i;
      const vec *s = looks[look].screen;
      union { float number; u32 bits; } away = {1 / (s[c[0]][2] + s[c[1]][2] + s[c[2]][2])};  // positive: sorts as its bits
      sorted[count++] = (u64)away.bits << 32 | look << 16 | i;
      from = away.bits < from ? away.bits : from, to = away.bits > to ? away.bits : to;
    }
  // what all have in common needs no sorting
  for (int shift = 0; shift < 32 && (to - from) >> shift > 0; shift += 11) {
    __builtin_memset(ends, 0, sizeof(ends));
    for (u32 i = 0; i < count; i++) ends[((u32)(sorted[i] >> 32) - from) >> shift & 2047]++;
    for (u32 i = 1; i < 2048; i++) ends[i] += ends[i - 1];
    for (u32 i = count; i-- > 0;) other[--ends[((u32)(sorted[i] >> 32) - from) >> shift & 2047]] = sorted[i];
    u64 *t = sorted;
    sorted = other, other = t;
  }
  layers.count = 0;
  for (u32 i = 0; i < count; i++) {
    u32 look = (u32)sorted[i] >> 16, number = (u32)sorted[i] & 65535;
    const u16 *c = looks[look].mesh.corners + 4 * number;
    const vec *s = looks[look].screen;
    vec a = s[c[0]], b = s[c[1]], d = s[c[2]], p = b - a, q = d - a, sides = p * p + q * q;
    Span span = span_of(look, number, a, b, d);
    float area = magnitude(p[0] * q[1] - p[1] * q[0]);
    if (span.top >= span.bottom || !(area > 1e-9f)) continue;
    // It is flat, so none of its samples is nearer than all its corners. Of a narrow one, rounding may say otherwise.
    span.nearest = area > 1e-5f * (sides[0] + sides[1]) ? 1.003f * span.nearest : HIDDEN;
    layers.spans[layers.count++] = span;
  }
}
