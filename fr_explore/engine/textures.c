// Textures without details finer than a pixel. Each is softened once for a size and kept: the skins and hair of the head,
// which people share, the chart of each person. What a picture samples between texels is then smooth under any motion.

static const float CHART_LEFT = -7.0f, CHART_BOTTOM = -11.5f, CELLS_PER_CM = 16;
enum { WORK = 2 * 512 * 512 };  // numbers of the largest texture

static struct {
  float *values, *between, *line;  // room to soften a texture
  vec *skin;                       // TEXELS x TEXELS: the skin of the person in the picture, relative to its tone
  int line_of, softened;           // the line of skins and the size that `skin` was blended for,
  float age;                       // and the age
  vec *makeup;                     // the chart of make-up
  int made_up;                     // and the size that it was softened for
} soft;

static int make_textures(void) {
  soft.values = keep(WORK * 4);
  soft.between = keep(WORK * 4);
  soft.line = keep((1024 + 2 * MAX_RADIUS) * sizeof(vec));
  soft.skin = keep(TEXELS * TEXELS * sizeof(vec));
  soft.makeup = keep(CHART_ROWS * CHART_COLUMNS * sizeof(vec));
  soft.softened = soft.made_up = 0;
  int made = soft.values && soft.between && soft.line && soft.skin && soft.makeup;
  return made ? FINE : failure(NO_MEMORY, "head");
}

// Blur soft.values by a share of a pixel's width.
static void soften(float *to, u32 rows, u32 columns, u32 channels, float texels_per_cm) {
  blur(to, soft.values, soft.between, soft.line, rows, columns, channels, 0.42f * texels_per_cm * WIDTH / side);
}

static void soften_chart(const u8 *from, int channels, vec *to) {
  enum { AREA = CHART_ROWS * CHART_COLUMNS };
  const u8 *last = from + (channels - 1) * AREA;
  for (int i = 0; i < AREA; i++)
    store(soft.values + 4 * i, (vec){from[i], from[AREA + i], from[2 * AREA + i], last[i]} * (1 / 255.0f));
  soften((float *)to, CHART_ROWS, CHART_COLUMNS, 4, CELLS_PER_CM);
}

// A skin relative to its mean, in units of 1 / 8192.
static void soften_skin(Skin *skin) {
  enum { AREA = TEXELS * TEXELS };
  if (skin->softened == side) return;
  skin->softened = side;
  for (int age = 0; age < AGES; age++) {
    const u8 *t = skin->textures + age * 3 * AREA;
    vec scale = 8192.0f / exp4(skin->means[age]), *values = (vec *)soft.values;
    for (int i = 0; i < AREA; i++)
      values[i] = (vec){linear_of[t[i]], linear_of[t[AREA + i]], linear_of[t[2 * AREA + i]], 0} * scale;
    soften(soft.values, TEXELS, TEXELS, 4, head.texels_per_cm);
    for (int i = 0; i < 4 * AREA; i += 8) {
      ivec low = whole(load(soft.values + i) + 0.5f), high = whole(load(soft.values + i + 4) + 0.5f);
      wasm_v128_store(skin->soft + age * 4 * AREA + i, wasm_u16x8_narrow_i32x4((v128_t)low, (v128_t)high));
    }
  }
}

INLINE float smoothly(float x) {
  x = clamp(x, 0, 1);
  return x * x * (3 - 2 * x);
}

// Blend the young, the middle-aged and the old skin: at 22, 48 and 72 years one of them is alone. Blending skins of one
// line keeps a face's own marks; a blend of several lines would be nobody's.
static void blend_skin(const Person *person) {
  Skin *skin = head.skins + person->skin;
  soften_skin(skin);
  if (soft.softened == side && soft.line_of == person->skin && soft.age == now.age) return;
  soft.softened = side, soft.line_of = person->skin, soft.age = now.age;
  int late = now.age > 48;
  float second = late ? smoothly((now.age - 48) / 24) : smoothly((now.age - 22) / 26), first = 1 - second;
  const u16 *a = skin->soft + late * 4 * TEXELS * TEXELS, *b = a + 4 * TEXELS * TEXELS;
  first /= 8192, second /= 8192;
  for (int i = 0; i < TEXELS * TEXELS; i++) {
    ivec x = (ivec)wasm_u32x4_load16x4(a + 4 * i), y = (ivec)wasm_u32x4_load16x4(b + 4 * i);
    soft.skin[i] = first * real(x) + second * real(y);
  }
}

// Shade, weighted by the opacity, and opacity of hair.
static void soften_hair(Hair *hair) {
  if (hair->softened == side) return;
  hair->softened = side;
  u32 area = hair->rows * hair->columns;
  for (u32 i = 0; i < area; i++) {
    float opacity = hair->texture[area + i];
    soft.values[2 * i] = hair->texture[i] * opacity * (1 / 255.0f), soft.values[2 * i + 1] = opacity;
  }
  soften(soft.values, hair->rows, hair->columns, 2, hair->texels_per_cm);
  for (u32 i = 0; i < 2 * area; i++) hair->soft[i] = (u8)(soft.values[i] + 0.5f);
}

static void soften_textures(Person *person) {
  if (person->softened != side) soften_chart(person->paint, 4, person->soft_paint);
  if (soft.made_up != side) soften_chart(head.makeup, 3, soft.makeup);
  person->softened = soft.made_up = side;
  blend_skin(person);
}

// ---- sampling between four texels

typedef struct { u32 at; float right, down; } Place;

// The place of (column, row) in a texture. `last` is where its last four texels begin to be sampled, see `last_place`.
INLINE vec last_place(u32 columns, u32 rows) { return (vec){columns - 1.001f, rows - 1.001f, 0, 0}; }
INLINE Place place(vec at, u32 columns, vec last) {
  at = smaller(last, larger(all(0), at - 0.5f));
  vec corner = floor4(at);
  ivec texel = whole_small(corner);
  at -= corner;
  return (Place){(u32)(texel[1] * (int)columns + texel[0]), at[0], at[1]};
}
INLINE vec sampled(const vec *texels, u32 columns, Place at) {
  const vec *low = texels + at.at, *high = low + columns;
  return (low[0] * (1 - at.right) + low[1] * at.right) * (1 - at.down) +
         (high[0] * (1 - at.right) + high[1] * at.right) * at.down;
}

// Shade times opacity, and opacity of hair, both 0 to 255, at four places.
typedef struct { vec shaded, opacity; } Strands;
INLINE Strands strands_at(const Hair *hair, vec column, vec row) {
  vec x = smaller(all(hair->columns - 1.001f), larger(all(0), column - 0.5f));
  vec y = smaller(all(hair->rows - 1.001f), larger(all(0), row - 0.5f));
  vec left = floor4(x), top = floor4(y), right = x - left, down = y - top, p[4];
  ivec at = whole_small(top) * (int)hair->columns + whole_small(left), byte = {255, 255, 255, 255}, low, high;
  for (int n = 0; n < 4; n++) {
    const u8 *texel = hair->soft + 2 * at[n];  // with its neighbour to the right: four numbers
    __builtin_memcpy((int *)&low + n, texel, 4), __builtin_memcpy((int *)&high + n, texel + 2 * hair->columns, 4);
  }
  for (int n = 0; n < 4; n++)
    p[n] = real(low >> (8 * n) & byte) * (1 - down) + real(high >> (8 * n) & byte) * down;
  return (Strands){p[0] * (1 - right) + p[2] * right, p[1] * (1 - right) + p[3] * right};
}
