// People: what no attribute changes about a person. Several stay attached, each in a slot, so that a host can switch.

enum { SLOTS = 8 };
typedef struct {
  float melanin, redness, beard, smile, makeup;  // beard, makeup: the person's own, 0 to 1
  float length, volume, roots;                   // of hair: factors; roots: how much darker it is at the skin
  float tone[3], iris[3], hair[3], lips[3], cloth[3];  // tone and lips are factors
} Traits;
enum { TRAITS = sizeof(Traits) / sizeof(float), FACTS = 5 };

typedef struct {
  int attached, skin, style, mirrored;  // style: -1 is no hair
  u32 seed;
  Traits traits;
  vec *young, *old;      // coarse vertices at 18 and at 88 years
  u8 *paint;             // brows, facial hair, marks, relief on the chart, one after the other
  vec *soft_paint;       // together, without details finer than a pixel
  int softened;          // the size of the picture that it was softened for
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
    p->soft_paint = keep(CHART_ROWS * CHART_COLUMNS * sizeof(vec));
    if (!p->young || !p->old || !p->paint || !p->soft_paint)
      return failure(NO_MEMORY, "people");
  }
  return FINE;
}

static int read_person(const Blob *blob, u32 bytes, Person *to) {
  const int *facts;
  const float *traits;
  const short *young, *ageing;  // in units of 1 / 1024 cm, axis by axis; ageing is the change from 18 to 88 years
  const u8 *paint;
  TRY(check_blob(blob, bytes, "FACE"));
  SECTION("facts", I32, FACTS, facts);  // head, skin, style, mirrored, seed
  if (facts[0] != head.identity) return failure(OTHER_HEAD, "");
  if (facts[1] < 0 || facts[1] >= SKINS || facts[2] < -1 || facts[2] >= STYLES) return failure(BAD_INDEX, "facts");
  if (!head.skins[facts[1]].textures || (facts[2] >= 0 && !head.hair[facts[2]].columns)) return failure(NO_STYLE, "");
  SECTION("traits", F32, TRAITS, traits);
  u32 n = head.coarse;
  SECTION("young", I16, 3 * n, young);
  SECTION("ageing", I16, 3 * n, ageing);
  SECTION("paint", U8, 4 * CHART_ROWS * CHART_COLUMNS, paint);
  const Traits *t = (const Traits *)traits;
  if (!(t->melanin > 0 && t->melanin < 1)) return failure(BAD_NUMBER, "traits");
  for (u32 i = 0; i < n; i++) {
    to->young[i] = (vec){young[i], young[n + i], young[2 * n + i], 0} * (1 / 1024.0f);
    to->old[i] = to->young[i] + (vec){ageing[i], ageing[n + i], ageing[2 * n + i], 0} * (1 / 1024.0f);
  }
  __builtin_memcpy(to->paint, paint, 4 * CHART_ROWS * CHART_COLUMNS);
  undo_differences(to->paint, 4, CHART_ROWS, CHART_COLUMNS);
  to->traits = *t, to->skin = facts[1], to->style = facts[2], to->mirrored = facts[3] != 0, to->seed = (u32)facts[4];
  to->softened = 0;
  to->attached = 1;
  return FINE;
}

INLINE vec logs(float r, float g, float b) { return log4(larger((vec){r, g, b, 1}, all(1e-4f))); }

// A colour at a strength in [-1, 1]: from dark over the own one to light, smooth and monotone per channel on a log scale.
// Both pieces are cubic Hermite; their common slope at 0 is the harmonic mean of the two chords (Fritsch and Butland
// 1984), which keeps each piece monotone.
static vec between(vec dark, vec own, vec light, float strength) {
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

// Hair: from nearly black over the person's own to light blond.
static vec hair_tone(const Traits *traits, float strength) {
  const vec dark = {0.0085f, 0.0070f, 0.0065f, 1}, light = {0.78f, 0.66f, 0.46f, 1};
  vec own = {traits->hair[0], traits->hair[1], traits->hair[2], 1};
  return between(dark, larger(smaller(own, light / 1.2f), dark * 1.2f), light, strength);
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
  return exp4(sum / total) * (vec){traits->tone[0], traits->tone[1], traits->tone[2], 0};
}
