// Light and colour of hair and glasses.

static const float CELLS_ACROSS = 1024 / 60.0f;  // cells of the pattern of strands in a cm: a sheet is about 60 cm wide

static void soften_pattern(Person *person) {
  if (person->softened_pattern == side) return;
  person->softened_pattern = (float)side;
  for (int i = 0; i < STRANDS * LENGTHS; i++)
    person->soft_pattern[i] = person->traits.pattern_scale * person->pattern[i];
  blur(person->soft_pattern, person->soft_pattern, (float *)chart_between, chart_line, STRANDS, LENGTHS, 1,
       0.42f * CELLS_ACROSS * WIDTH / side);
}

// Light and highlight of a sheet's vertices, place across and along the strands, distance to the tip. The highlight is
// that of a thin cylinder (Kajiya and Kay 1989), perpendicular to the strands.
static void light_hair(const Hair *hair) {
  u32 columns = hair->columns, rows = hair->rows;
  for (u32 c = 0; c < columns; c++) {
    float across = (float)c / (columns - 1);
    if (hair->parted) across = 0.5f - magnitude(across - 0.5f);  // strands match on both sides of a parting
    for (u32 r = 0; r < rows; r++) {
      u32 i = c * rows + r, before = r ? i - 1 : i, after = r < rows - 1 ? i + 1 : i;
      vec tangent = (strands.points[after] - strands.points[before]) * (after - before == 2 ? 0.5f : 1.0f);
      vec normal = strands.normals[i];
      tangent /= all(root(dot(tangent, tangent)) + 1e-9f);
      float facing = most((dot(normal, lamp.key) + 0.35f) / 1.35f, 0), k = dot(tangent, lamp.key);
      float along = root(clamp(1 - k * k, 0, 1));
      float light = 1.5f * now.light_strength * facing * (0.45f + 0.55f * along) + 0.425f + 0.125f * normal[1];
      float h = dot(tangent + 0.12f * normal, lamp.half), x = clamp(1 - h * h, 0, 1);  // sin^2; to the power of 60 / 2
      float x2 = x * x, x4 = x2 * x2, x8 = x4 * x4, x16 = x8 * x8;
      float shine = now.light_strength * facing * (x16 * x8 * x4 * x2) * clamp(normal[2] + 0.3f, 0, 1);
      float inner = 0.22f + 0.78f * sigmoid((normal[2] + 0.22f) / 0.07f);  // the side that faces the head is dark
      strands.color[i] = (vec){light * inner, shine * inner, across, hair->strands[2 * i]};
      strands.tips[i] = hair->strands[2 * i + 1];
    }
  }
}

// Colour of hair, with its opacity in the fourth number, from what light_hair interpolates to.
INLINE vec strand(const float *pattern, vec v, float tip) {
  float p = clamp(v[2], 0, 1) * (STRANDS - 1.01f), q = clamp(v[3] * 0.9f, 0, LENGTHS - 2);
  int i = (int)p, k = (int)q;
  float fp = p - i, fq = q - k;
  const float *f = pattern + i * LENGTHS + k;
  float noise = (f[0] * (1 - fp) + f[LENGTHS] * fp) * (1 - fq) + (f[1] * (1 - fp) + f[LENGTHS + 1] * fp) * fq;
  vec e = exp4((vec){0.28f * noise, 0.45f * noise, -(tip - 0.50f - 0.16f * noise) / 0.09f, 0});
  vec color = paint.hair * (v[0] * e[0]) + (v[1] * e[1]) * (0.05f + 0.22f * paint.hair);
  color[3] = 1 / (1 + e[2]);
  return color;
}

static void light_glasses(void) {
  for (u32 i = 0; i < head.glasses.points; i++) {
    vec n = frames.normals[i];
    float light = 0.35f + 1.2f * now.light_strength * most(dot(n, lamp.key), 0), h = most(dot(n, lamp.half), 0);
    float h2 = h * h, h4 = h2 * h2, h8 = h4 * h4;
    vec color = light * (vec){0.030f, 0.024f, 0.022f, 0};
    frames.color[i] = color + 0.35f * now.light_strength * (h8 * h8 * h8 * h4 * h2);
  }
}
