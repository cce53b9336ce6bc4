// People: what no attribute changes about a person. Several stay attached, each in a slot, so that a host can switch.

enum { SLOTS = 8 };
enum { CHART_COLUMNS = 224, CHART_ROWS = 320, STRANDS = 1024, LENGTHS = 32 };  // see skin.c and hair.c

typedef struct {
  float femininity, melanin, redness, stubble, freckles, smile, pattern_scale;
  float iris[3], hair[3];
} Traits;
enum { TRAITS = sizeof(Traits) / sizeof(float) };

typedef struct {
  int attached, style;  // style: -1 is no hair
  u32 seed;
  Traits traits;
  vec *young, *old;                     // coarse vertices at 18 and at 88 years
  u8 *paint;                            // brows, folds, spots, freckles on the chart
  signed char *pattern;                 // of strands
  vec *soft_paint;                      // both without details finer than a pixel
  float *soft_pattern, softened_paint, softened_pattern;  // and the size of the picture that they were softened for
} Person;
static Person people[SLOTS];

EXPORT("slots") int slots(void) { return SLOTS; }

static int make_slots(void) {
  for (int i = 0; i < SLOTS; i++) {
    Person *p = people + i;
    *p = (Person){0};
    p->young = keep((u64)head.coarse * sizeof(vec));
    p->old = keep((u64)head.coarse * sizeof(vec));
    p->paint = keep(CHART_ROWS * CHART_COLUMNS * 4);
    p->pattern = keep(STRANDS * LENGTHS);
    p->soft_paint = keep(CHART_ROWS * CHART_COLUMNS * sizeof(vec));
    p->soft_pattern = keep(STRANDS * LENGTHS * sizeof(float));
    if (!p->young || !p->old || !p->paint || !p->pattern || !p->soft_paint || !p->soft_pattern)
      return failure(NO_MEMORY, "people");
  }
  return FINE;
}

static int read_person(const Blob *blob, u32 bytes, Person *to) {
  const int *facts;
  const float *young, *old, *traits;
  const u8 *paint;
  const signed char *pattern;
  TRY(check_blob(blob, bytes, "FACE"));
  SECTION("facts", I32, 3, facts);  // head, style, seed
  if (facts[0] != head.identity) return failure(OTHER_HEAD, "");
  if (facts[1] < -1 || facts[1] >= STYLES) return failure(BAD_INDEX, "facts");
  if (facts[1] >= 0 && !head.hair[facts[1]].columns) return failure(NO_STYLE, "");
  SECTION("traits", F32, TRAITS, traits);
  SECTION("young", F32, 3 * head.coarse, young);
  SECTION("old", F32, 3 * head.coarse, old);
  SECTION("paint", U8, 4 * CHART_ROWS * CHART_COLUMNS, paint);
  SECTION("pattern", I8, STRANDS * LENGTHS, pattern);
  const Traits *t = (const Traits *)traits;
  if (!(t->melanin > 0 && t->melanin < 1)) return failure(BAD_NUMBER, "traits");
  for (u32 i = 0; i < head.coarse; i++) {
    to->young[i] = (vec){young[3 * i], young[3 * i + 1], young[3 * i + 2], 0};
    to->old[i] = (vec){old[3 * i], old[3 * i + 1], old[3 * i + 2], 0};
  }
  __builtin_memcpy(to->paint, paint, 4 * CHART_ROWS * CHART_COLUMNS);
  __builtin_memcpy(to->pattern, pattern, STRANDS * LENGTHS);
  to->traits = *t, to->style = facts[1], to->seed = (u32)facts[2];
  to->softened_paint = to->softened_pattern = 0;
  to->attached = 1;
  return FINE;
}

INLINE vec logs(float r, float g, float b) { return log4(larger((vec){r, g, b, 1}, all(1e-4f))); }

// Hair colour at a strength in [-1, 1]: from nearly black over the person's own to light blond, smooth and monotone per
// channel on a log scale. Both pieces are cubic Hermite; their common slope at 0 is the harmonic mean of the two chords
// (Fritsch and Butland 1984), which keeps each piece monotone.
static vec hair_tone(const Traits *traits, float strength) {
  const vec dark = {0.0085f, 0.0070f, 0.0065f, 1}, light = {0.78f, 0.66f, 0.46f, 1};
  vec own = {traits->hair[0], traits->hair[1], traits->hair[2], 1};
  own = larger(smaller(own, light / 1.2f), dark * 1.2f);
  vec a = log4(dark), b = log4(own), c = log4(light), left = b - a, right = c - b, both = left * right;
  vec slope = choose(both > 0.0f, 2 * both / choose(left + right == 0.0f, all(1), left + right), all(0));
  int up = strength > 0;
  float t = magnitude(strength), t2 = t * t, t3 = t2 * t;
  vec end = up ? c : a, chord = up ? right : -left, inner = up ? slope : -slope, outer = 1.5f * chord - 0.5f * inner;
  vec size = larger(outer, -outer), most_allowed = 3 * larger(chord, -chord);
  outer = choose(size > most_allowed, 3 * chord, outer);
  outer = choose(outer * chord > 0.0f, outer, all(0));
  return exp4((2 * t3 - 3 * t2 + 1) * b + (t3 - 2 * t2 + t) * inner + (3 * t2 - 2 * t3) * end + (t3 - t2) * outer);
}

// Skin colour at a strength in [-1, 1], which changes melanin on a logit scale: a Gaussian-weighted mean of five tones,
// because a spline through them would overshoot.
static vec skin_tone(const Traits *traits, float strength) {
  static const float tones[5][3] = {{0.965f, 0.845f, 0.780f}, {0.925f, 0.755f, 0.655f}, {0.815f, 0.615f, 0.480f},
                                    {0.600f, 0.420f, 0.305f}, {0.335f, 0.225f, 0.165f}};  // sRGB from light to dark
  float logit = log1(traits->melanin / (1 - traits->melanin)) - 2 * strength, at = 4 * sigmoid(logit), total = 0;
  vec sum = all(0);
  for (int i = 0; i < 5; i++) {
    float away = (at - i) / 0.6f, weight = exp1(-0.5f * away * away);
    sum += weight * 2.2f * logs(tones[i][0], tones[i][1], tones[i][2]);
    total += weight;
  }
  return exp4(sum / total);
}
