// Fragments -> canvas -> picture.

static struct {
  vec *canvas;  // of each pixel: light of its fragments
  float *free;  // of each pixel: the share that shows the background
  vec *line;    // one row of pixels with a border
  float *plain, *result;  // the picture before and after the image attributes, float32 RGB
  float *between, *row;   // room for the blur
  u8 *bytes;
  u32 width, height;
  int opened, bytes_made;
  const float *out;
} picture;

EXPORT("out") const float *out(void) { return picture.out; }

// Colour of a fragment, or bare skin if the result is 1.
INLINE int color_of(const Fragment *f, Shading *to) {
  const u16 *c = looks[f->look].mesh.corners + 4 * f->triangle;
  u32 i = c[0], k = c[1], m = c[2];
  float second = f->second, third = f->third, first = 1 - second - third;
  if (f->look == HAIR) {
    vec v = first * strands.color[i] + second * strands.color[k] + third * strands.color[m];
    to->color = paint.hair * (v[2] * f->shade) + v[3] * (0.03f + 0.14f * paint.hair);
    return 0;
  }
  if (f->look == GLASSES) {
    to->color = first * frames.color[i] + second * frames.color[k] + third * frames.color[m];
    return 0;
  }
  const Shaded *a = body.shaded + i, *b = body.shaded + k, *d = body.shaded + m;
  vec plain = first * a->plain + second * b->plain + third * d->plain;
  vec at = first * a->chart + second * b->chart + third * d->chart;
  if (c[3] == EYE) {
    to->color = eye(plain[3], at[0], at[1]);
    return 0;
  }
  vec painted = first * a->painted + second * b->painted + third * d->painted;
  if (c[3] == SKIN) return bare_skin(painted, plain, at, to);
  to->color = plain + painted[3];
  return 0;
}

// Add the light of fragments to the canvas. Their weights already say what hides what, so their order is free. Many are
// computed in steps: a step of one does not wait for the memory and the results of another.
static void draw(const Person *person, const Fragment *f, const Fragment *end) {
  enum { MANY = 64 };
  static Shading some[MANY];
  u32 on_chart[MANY];
  while (f < end) {
    u32 count = end - f < MANY ? (u32)(end - f) : MANY, painted = 0;
    for (u32 n = 0; n < count; n++) {
      on_chart[painted] = n;
      painted += (u32)color_of(f + n, some + n);
    }
    for (u32 n = 0; n < painted; n++) {
      Shading *s = some + on_chart[n];
      s->paint = sampled(person->soft_paint, CHART_COLUMNS, s->cell);
    }
    for (u32 n = 0; n < painted; n++) some[on_chart[n]].color = painted_skin(some + on_chart[n]);
    for (u32 n = 0; n < count; n++) picture.canvas[f[n].pixel] += f[n].weight * some[n].color;
    f += count;
  }
}

// Linear light as sRGB (IEC 61966-2-1); bright light approaches white smoothly.
INLINE vec display(vec x) {
  x = larger(x, all(0));
  ivec bright = x > 0.7f;
  if (wasm_v128_any_true((v128_t)bright)) x = choose(bright, 0.7f + 0.3f * (1 - exp4(-(x - 0.7f) / 0.3f)), x);
  vec curve = 1.055f * exp4(log4(larger(x, all(1e-6f))) * (1 / 2.4f)) - 0.055f;
  return within(choose(x <= 0.0031308f, 12.92f * x, curve), 0, 1);
}

INLINE vec tent(const vec *p) { return 0.25f * (p[-1] + p[1]) + 0.5f * p[0]; }

// Add the background, plain with a soft vignette; filter with a tent two pixels wide; convert to sRGB. The tent
// removes frequencies near that of the pixel grid: without it, aliasing determines the direction in which an embedding
// moves when the head turns by a small step; with it, halving the step keeps this direction. Of the rows from `first` to
// `end`, those from `top` to `bottom` are wanted.
static void develop(int first, int top, int bottom, int end) {
  const vec dark = {0.045f, 0.050f, 0.056f, 1}, light = {0.93f, 0.93f, 0.92f, 1};
  const vec grey = between(dark, (vec){0.56f, 0.58f, 0.60f, 1}, light, now.background) * (vec){1, 1, 1, 0};
  float step = 1.0f / side;
  vec *canvas = picture.canvas, *line = picture.line + 1;
  for (int y = first; y < end; y++)
    for (int x = 0; x < side; x++) {
      float gx = (x + 0.5f) * step - 0.5f, gy = (y + 0.5f) * step - 0.5f;
      vec *c = canvas + y * side + x;
      *c += picture.free[y * side + x] * (1 - 0.55f * (gy * gy + gx * gx) - 0.10f * gy) * grey;
    }
  for (int y = top; y < bottom; y++) {
    const vec *b = canvas + y * side, *a = y ? b - side : b, *c = y < side - 1 ? b + side : b;
    for (int x = 0; x < side; x++) line[x] = 0.25f * (a[x] + c[x]) + 0.5f * b[x];
    line[-1] = line[0];
    for (int x = side; x < side + 4; x++) line[x] = line[side - 1];
    for (int x = 0; x < side; x += 4) {  // four pixels at a time, by channel; the last group ends in the next row
      vec p = tent(line + x), q = tent(line + x + 1), s = tent(line + x + 2), t = tent(line + x + 3);
      vec pq = __builtin_shufflevector(p, q, 0, 4, 1, 5), st = __builtin_shufflevector(s, t, 0, 4, 1, 5);
      vec r = display(__builtin_shufflevector(pq, st, 0, 1, 4, 5)), g = display(__builtin_shufflevector(pq, st, 2, 3, 6, 7));
      vec u = display((vec){p[2], q[2], s[2], t[2]});
      float *to = picture.plain + 3 * (y * side + x);
      store(to, (vec){r[0], g[0], u[0], r[1]});
      store(to + 4, (vec){g[1], u[1], r[2], g[2]});
      store(to + 8, (vec){u[2], r[3], g[3], u[3]});
    }
  }
}

EXPORT("rgba") const u8 *rgba(void) {
  if (!picture.bytes_made && picture.out) {
    picture.bytes_made = 1;
    for (u64 i = 0; i < (u64)picture.width * picture.height; i++) {
      ivec c = whole(within(load(picture.out + 3 * i), 0, 1) * 255.0f + 0.5f);
      ((u32 *)picture.bytes)[i] = (u32)c[0] | (u32)c[1] << 8 | (u32)c[2] << 16 | 0xff000000u;
    }
  }
  return picture.bytes;
}

// Lay out the buffers of a finished picture in the frame.
static int make_picture(u32 width, u32 height) {
  u64 pixels = (u64)width * height;
  picture.width = width, picture.height = height, picture.opened = 0, picture.out = 0, picture.bytes_made = 0;
  picture.plain = frame(12 * pixels);
  picture.result = frame(12 * pixels);
  picture.between = frame(12 * pixels);
  picture.row = frame(12 * ((u64)width + 2 * MAX_RADIUS));
  picture.bytes = frame(4 * pixels);
  int made = picture.plain && picture.result && picture.between && picture.row && picture.bytes;
  return made ? FINE : failure(NO_MEMORY, "picture");
}
