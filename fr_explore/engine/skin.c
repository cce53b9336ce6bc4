// Light and colour of the head: per vertex where they are smooth, per fragment where they have detail (brows, folds,
// freckles, eyes). Colours are linear RGB.

enum { RED, SOCKET, LIDS, LIPS, BEARD, SCALP, HAIR_SHADE, CAVITY, CLOTH };  // order of head.fields

static struct { vec key, half; vec harmonics[4]; } lamp;  // unit vectors to the lamp, and midway between it and the camera
static struct {
  vec hair, brow, iris;
  float fold, spot, freckle, pixel_of_eye;  // pixel: its width as a share of the eyeball's radius
} paint;
static const float EYE_RADIUS = 1.655f;

// The lamp stands 32 degrees above the eyes. What hides it from a vertex is stored as real spherical harmonics up to
// degree 3, in the head's own frame.
static void place_lamp(void) {
  double azimuth = radians(now.illumination), elevation = radians(32), level = cosine(elevation);
  double kx = sine(azimuth) * level, ky = sine(elevation), kz = cosine(azimuth) * level;
  double length = __builtin_sqrt(kx * kx + ky * ky + (kz + 1) * (kz + 1));
  lamp.key = (vec){(float)kx, (float)ky, (float)kz, 0};
  lamp.half = (vec){(float)(kx / length), (float)(ky / length), (float)((kz + 1) / length), 0};
  vec local = rotated_back(lamp.key);
  double x = local[0], y = local[1], z = local[2];
  float h[HARMONICS] = {
    0.282095f, (float)(0.488603 * y), (float)(0.488603 * z), (float)(0.488603 * x), (float)(1.092548 * x * y),
    (float)(1.092548 * y * z), (float)(0.315392 * (3 * z * z - 1)), (float)(1.092548 * x * z),
    (float)(0.546274 * (x * x - y * y)), (float)(0.590044 * y * (3 * x * x - y * y)), (float)(2.890611 * x * y * z),
    (float)(0.457046 * y * (5 * z * z - 1)), (float)(0.373176 * z * (5 * z * z - 3)),
    (float)(0.457046 * x * (5 * z * z - 1)), (float)(1.445306 * z * (x * x - y * y)),
    (float)(0.590044 * x * (x * x - 3 * y * y))};
  for (int i = 0; i < 4; i++) lamp.harmonics[i] = load(h + 4 * i);
}

static void mix_paint(const Person *person) {
  const Traits *t = &person->traits;
  float ageing = power(clamp((now.age - 18) / 57, 0, 1), 1.7f);
  vec hair = hair_tone(t, now.hair_color);
  float brightest = most(hair[0], most(hair[1], hair[2]));
  paint.hair = hair;
  paint.brow = 0.12f / (0.12f / 0.75f + brightest) * hair;  // never as light as light hair
  paint.iris = (vec){t->iris[0], t->iris[1], t->iris[2], 0};
  paint.fold = 0.75f * ageing, paint.spot = 0.28f * ageing, paint.freckle = 0.5f * t->freckles;
  paint.pixel_of_eye = WIDTH / side / EYE_RADIUS;
}

// Colour of every vertex without light.
INLINE vec albedo(const Person *person, u32 i, vec skin, vec lips, vec shadow, vec roots) {
  switch (head.materials[i]) {
    case EYE: return (vec){0.70f, 0.67f, 0.65f, 0};
    case TEETH: return (vec){0.82f, 0.78f, 0.69f, 0};
    case TONGUE: return (vec){0.22f, 0.06f, 0.055f, 0};
    case LASH: return (vec){0.02f, 0.014f, 0.012f, 0};
  }
  const Traits *t = &person->traits;
  const float *f = head.fields + i;
  u32 n = head.fine;
  float cover = person->style >= 0 ? 0.92f : 0.30f * (t->stubble > 0);
  vec depth = (t->redness * f[RED * n]) * (vec){0.02f, 0.34f, 0.30f, 0} + f[SOCKET * n] * (vec){0.13f, 0.21f, 0.18f, 0} +
              f[LIDS * n] * (vec){0.08f, 0.16f, 0.14f, 0};
  vec a = skin * exp4(-depth);
  a += f[LIPS * n] * (lips - a);
  a += (0.42f * t->stubble * f[BEARD * n]) * (shadow - a);
  a += (cover * f[SCALP * n]) * (roots - a);
  if (person->style >= 0) a *= 1 - 0.30f * f[HAIR_SHADE * n];
  a += f[CAVITY * n] * ((vec){0.10f, 0.016f, 0.014f, 0} - a);
  return a + f[CLOTH * n] * ((vec){0.30f, 0.36f, 0.46f, 0} - a);
}

// Diffuse light is wrapped Lambert with a wrap per channel: red light scatters furthest in skin, so its boundary of light
// and shadow is the softest. Sky and front fill the shadows; the highlight is Blinn's (1977), to the power of 28.
static void light_body(const Person *person) {
  const vec wrap = {0.30f, 0.16f, 0.10f, 0}, gain = {0.86f * 1.03f / 1.30f, 0.86f / 1.16f, 0.86f * 0.95f / 1.10f, 0};
  const vec front = {-0.195f, -0.0325f, 0.6175f, 0}, skylight = {0.97f, 1.0f, 1.05f, 0};
  vec skin = skin_tone(&person->traits, now.skin_tone), hair = paint.hair;
  vec lips = skin * exp4(-(0.75f + 0.45f * person->traits.femininity) * (vec){0.22f, 0.95f, 0.80f, 0});
  vec shadow = hair * 0.5f + 0.25f * skin, roots = 0.75f * hair + 0.04f * skin;
  for (u32 i = 0; i < head.fine; i++) {
    vec n = body.normals[i];
    const vec *v = head.visibility + 4 * i;
    float seen = sum4(v[0] * lamp.harmonics[0] + v[1] * lamp.harmonics[1] + v[2] * lamp.harmonics[2] +
                      v[3] * lamp.harmonics[3]);
    seen = clamp((seen - 0.25f) / 0.6f, 0, 1);
    seen = now.light_strength * (seen * seen * (3 - 2 * seen));
    float open = clamp(v[0][0] * 0.282095f, 0, 1);
    vec light = seen * gain * larger(dot(n, lamp.key) + wrap, all(0));
    light += open * open * (0.12f + 0.14f * (0.5f + 0.5f * n[1])) * skylight;
    light += 0.20f * open * most(0.35f + dot(n, front), 0);
    float h = most(dot(n, lamp.half), 0), h4 = h * h * h * h, h8 = h4 * h4, h16 = h8 * h8;
    vec c = albedo(person, i, skin, lips, shadow, roots) * light + head.gloss[i] * seen * (h16 * h8 * h4);
    c[3] = (light[0] + light[1] + light[2]) * (1 / 3.0f);
    body.color[i] = c;
  }
}

// ---- the chart: paint on the face as seen from the front, in cm of the resting face, so that it follows the skin

static const float CHART_LEFT = -7.0f, CHART_BOTTOM = -11.5f, CELLS_PER_CM = 16;
static vec *chart_between;  // room for blurring the chart, or the pattern of strands
static float *chart_line;

static int make_chart(void) {
  chart_between = keep(CHART_ROWS * CHART_COLUMNS * sizeof(vec));
  chart_line = keep((STRANDS + 2 * MAX_RADIUS) * sizeof(vec));
  return chart_between && chart_line ? FINE : failure(NO_MEMORY, "head");
}

// Remove details finer than a pixel, once for each person and size.
static void soften_paint(Person *person) {
  if (person->softened_paint == side) return;
  person->softened_paint = (float)side;
  for (int i = 0; i < CHART_ROWS * CHART_COLUMNS; i++) {
    const u8 *p = person->paint + 4 * i;
    person->soft_paint[i] = (vec){p[0], p[1], p[2], p[3]} * (1 / 255.0f);
  }
  blur((float *)person->soft_paint, (const float *)person->soft_paint, (float *)chart_between, chart_line, CHART_ROWS,
       CHART_COLUMNS, 4, 0.42f * CELLS_PER_CM * WIDTH / side);
}

// Paint brows, folds, spots and freckles on a colour whose fourth number is the light.
INLINE vec painted(const vec *chart, vec v, float x, float y) {
  float u = clamp((x - CHART_LEFT) * CELLS_PER_CM - 0.5f, 0, CHART_COLUMNS - 1.001f);
  float w = clamp((y - CHART_BOTTOM) * CELLS_PER_CM - 0.5f, 0, CHART_ROWS - 1.001f);
  int i = (int)w, k = (int)u;
  float down = w - i, right = u - k;
  const vec *low = chart + i * CHART_COLUMNS + k, *high = low + CHART_COLUMNS;
  vec c = (low[0] * (1 - right) + low[1] * right) * (1 - down) + (high[0] * (1 - right) + high[1] * right) * down;
  float dark = paint.fold * c[1] + paint.spot * c[2] + paint.freckle * c[3], light = v[3];
  vec color = dark > 0 ? v * exp4(-dark * (vec){0.75f, 1.0f, 1.08f, 0}) : v;  // most of the face has no paint
  return color + c[0] * (paint.brow * light - color);
}

INLINE float inside(float radius, float edge, float soft) {
  float blurred = 0.33f * paint.pixel_of_eye;  // no edge is sharper than a pixel
  return sigmoid((edge - radius) / root(soft * soft + blurred * blurred));
}

// An eyeball in the direction (x, y) from its centre, as shares of its radius: white, iris with fibres, pupil, the shadow
// of the lid, the reflection of the lamp. The cornea bulges, so its normal changes faster than the ball's.
static vec eye(vec v, float x, float y) {
  float radius = root(x * x + y * y), angle = angle_of(y, x), pixel = paint.pixel_of_eye, ring = (radius - 0.22f) / 0.08f;
  float wave = (float)cosine(23 * angle + 4 * sine(3 * angle));
  float fibres = 1 + 0.18f * wave * clamp(radius / 0.36f, 0, 1) / (1 + 900 * pixel * pixel);
  // light enters the iris from above and is brightest below
  float shade = fibres * (0.75f + 0.9f * exp1(-ring * ring)) * (1 - 0.45f * clamp(y / 0.36f, -1, 1));
  vec c = (vec){0.70f, 0.66f, 0.64f, 0} * (1 - 0.25f * clamp(radius - 0.45f, 0, 0.5f));
  c += inside(radius, 0.385f, 0.016f) * (0.22f * paint.iris - c);  // the dark ring around the iris
  c += inside(radius, 0.335f, 0.022f) * (paint.iris * shade - c);
  c += inside(radius, 0.135f, 0.016f) * (0.004f - c);
  c *= v[3] * (1 - 0.5f * sigmoid((y - 0.17f) / 0.10f));
  vec bulge = rotated((vec){1.9f * x, 1.9f * y, root(clamp(1 - (x * x + y * y), 0.05f, 1)), 0});
  float facing = dot(bulge, lamp.half) / root(dot(bulge, bulge)), soft = 0.14f * pixel;
  return c + 0.85f * now.light_strength * sigmoid((facing - 0.975f) / root(0.000036f + soft * soft));
}
