// Light and colour of the head: per vertex where they are smooth, per fragment where they have detail (skin, paint, eyes).
// Colours are linear RGB.

static struct { vec key, half; vec harmonics[4]; } lamp;  // unit vectors to the lamp, and midway between it and the camera
static struct {
  vec hair, brow, beard, iris, tone;
  float facial_hair, makeup, pixel_of_eye;  // pixel: its width as a share of the eyeball's radius
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
  vec hair = hair_tone(t, now.hair_color);
  float brightest = most(hair[0], most(hair[1], hair[2])), own = t->beard;
  paint.hair = hair;
  paint.brow = 0.12f / (0.12f / 0.75f + brightest) * hair;  // never as light as light hair
  paint.tone = skin_tone(t, now.skin_tone);
  paint.beard = 0.45f * (paint.brow + hair) + 0.02f * paint.tone;  // skin shines through
  paint.iris = (vec){t->iris[0], t->iris[1], t->iris[2], 0};
  paint.facial_hair = now.facial_hair < 0 ? own * (1 + now.facial_hair) : own + (1 - own) * now.facial_hair;
  paint.makeup = t->makeup + (1 - t->makeup) * now.makeup;
  paint.pixel_of_eye = WIDTH / side / EYE_RADIUS;
}

// Colour of a vertex without light, as a factor of the skin's texture and a part that hides it.
typedef struct { vec factor, hiding; } Albedo;

INLINE Albedo laid_over(Albedo a, float share, vec color) {
  return (Albedo){a.factor * (1 - share), a.hiding + share * (color - a.hiding)};
}

INLINE Albedo albedo(const Person *person, u32 i, vec roots) {
  const Traits *t = &person->traits;
  switch (head.materials[i]) {
    case EYE: return (Albedo){all(0), {0.62f, 0.59f, 0.57f, 0}};
    case TEETH: {  // those at the sides are in the shadow of the cheeks
      float aside = smoothly((magnitude(body.shaded[i].chart[0]) - 1.5f) / 1.4f);
      return (Albedo){all(0), (1 - 0.85f * aside) * (vec){0.62f, 0.57f, 0.49f, 0}};
    }
    case TONGUE: return (Albedo){all(0), {0.22f, 0.06f, 0.055f, 0}};
    case LASH: return (Albedo){all(0), {0.02f, 0.014f, 0.012f, 0}};
  }
  const float *f = head.fields + i;
  u32 n = head.fine;
  float cover = person->style >= 0 ? 0.92f : 0.30f * (t->beard > 0);
  vec lips = (vec){t->lips[0], t->lips[1], t->lips[2], 1};
  Albedo a = {paint.tone * exp4((-t->redness * f[RED * n]) * (vec){0.02f, 0.34f, 0.30f, 0}), all(0)};
  a.factor *= 1 + f[LIPS * n] * (lips - 1);
  a = laid_over(a, cover * f[SCALP * n], roots);
  if (person->style >= 0) a.factor *= 1 - 0.30f * f[HAIR_SHADE * n], a.hiding *= 1 - 0.30f * f[HAIR_SHADE * n];
  a = laid_over(a, f[CAVITY * n], (vec){0.10f, 0.016f, 0.014f, 0});
  return laid_over(a, f[CLOTH * n], (vec){t->cloth[0], t->cloth[1], t->cloth[2], 0});
}

// Diffuse light is wrapped Lambert with a wrap per channel: red light scatters furthest in skin, so its boundary of light
// and shadow is the softest. Sky and front fill the shadows; the highlight is Blinn's (1977), to the power of 28.
static void light_body(const Person *person) {
  const vec wrap = {0.30f, 0.16f, 0.10f, 0}, gain = {0.86f * 1.03f / 1.30f, 0.86f / 1.16f, 0.86f * 0.95f / 1.10f, 0};
  const vec front = {-0.195f, -0.0325f, 0.6175f, 0}, skylight = {0.97f, 1.0f, 1.05f, 0};
  vec roots = 0.75f * paint.hair + 0.04f * paint.tone;
  for (u32 i = 0; i < head.fine; i++) {
    if (!body.visible[i]) continue;
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
    Albedo a = albedo(person, i, roots);
    vec painted = a.factor * light, plain = a.hiding * light;
    painted[3] = head.materials[i] == LASH ? 0 : head.gloss[i] * seen * (h16 * h8 * h4);
    plain[3] = (light[0] + light[1] + light[2]) * (1 / 3.0f);
    body.shaded[i].painted = painted, body.shaded[i].plain = plain;
  }
}

// Make-up: dark around the eyes, a red of the skin's own depth on the lips, blush.
INLINE vec made_up(vec color, vec share, vec light) {
  const vec lipstick = {0.62f, 0.16f, 0.19f, 0}, red = {0.9f, 0.45f, 0.5f, 0};
  share *= paint.makeup;
  color *= exp4(-share[0] * (vec){1.5f, 1.7f, 1.6f, 0} - share[2] * (vec){0.01f, 0.22f, 0.17f, 0});
  return color + 0.7f * share[1] * (light * lipstick * (0.25f + red * paint.tone) - color);
}

// Skin in progress: without what is painted on it, and then with it. `cell` is a place on the chart, which is paint on the
// face as seen from the front, in cm of the resting face, so that it follows the skin.
typedef struct { vec color, paint; Place cell; float light, shine; } Shading;

// Skin without paint, at a place in its texture (at[2], at[3]) and on the chart (at[0], at[1]). Returns whether the chart
// is there.
INLINE int bare_skin(vec painted, vec plain, vec at, Shading *to) {
  vec texel = __builtin_shufflevector(at, at, 2, 3, 0, 1);
  vec color = painted * sampled(soft.skin, TEXELS, place(texel, TEXELS, last_place(TEXELS, TEXELS))) + plain;
  int on_chart = magnitude(at[0]) < -CHART_LEFT;
  vec cell = (at - (vec){CHART_LEFT, CHART_BOTTOM, 0, 0}) * CELLS_PER_CM;
  to->cell = place(cell, CHART_COLUMNS, last_place(CHART_COLUMNS, CHART_ROWS));
  to->color = on_chart ? color : color + painted[3], to->light = plain[3], to->shine = painted[3];
  return on_chart;
}

INLINE vec painted_skin(const Shading *s) {
  vec color = s->color, c = s->paint;
  float relief = 2 * c[3] - 1.00392157f, light = s->light;  // 128 of 255 is no relief
  color *= exp4(-c[2] * (vec){0.75f, 1.0f, 1.08f, 0});
  color *= 1 + 0.2f * relief;
  if (paint.makeup > 0) color = made_up(color, sampled(soft.makeup, CHART_COLUMNS, s->cell), all(light));
  color += (paint.facial_hair * c[1] * (2 - c[1])) * (paint.beard * light - color);  // dense hair leaves no gaps
  color += c[0] * (paint.brow * light - color);
  return color + s->shine * most(1 + 0.9f * relief, 0);
}

INLINE float inside(float radius, float edge, float soft) {
  float blurred = 0.33f * paint.pixel_of_eye;  // no edge is sharper than a pixel
  return sigmoid((edge - radius) / root(soft * soft + blurred * blurred));
}

// An eyeball in the direction (x, y) from its centre, as shares of its radius: white, iris with fibres, pupil, the shadow
// of the lid, the reflection of the lamp. The cornea bulges, so its normal changes faster than the ball's.
static vec eye(float light, float x, float y) {
  float radius = root(x * x + y * y), angle = angle_of(y, x), pixel = paint.pixel_of_eye, ring = (radius - 0.22f) / 0.08f;
  float wave = (float)cosine(23 * angle + 4 * sine(3 * angle));
  float fibres = 1 + 0.18f * wave * clamp(radius / 0.36f, 0, 1) / (1 + 900 * pixel * pixel);
  // light enters the iris from above and is brightest below
  float shade = fibres * (0.75f + 0.9f * exp1(-ring * ring)) * (1 - 0.45f * clamp(y / 0.36f, -1, 1));
  vec c = (vec){0.62f, 0.58f, 0.56f, 0} * (1 - 0.7f * clamp(radius - 0.42f, 0, 0.5f));
  c += inside(radius, 0.385f, 0.016f) * (0.22f * paint.iris - c);  // the dark ring around the iris
  c += inside(radius, 0.335f, 0.022f) * (paint.iris * shade - c);
  c += inside(radius, 0.135f, 0.016f) * (0.004f - c);
  c *= light * (1 - 0.5f * sigmoid((y - 0.17f) / 0.10f));
  vec bulge = rotated((vec){1.9f * x, 1.9f * y, root(clamp(1 - (x * x + y * y), 0.05f, 1)), 0});
  float facing = dot(bulge, lamp.half) / root(dot(bulge, bulge)), soft = 0.14f * pixel;
  return c + 0.85f * now.light_strength * sigmoid((facing - 0.988f) / root(0.000016f + soft * soft));
}
