// The head: everything that all people share, read from its blob. The blob stays in memory, and large arrays are used
// where they lie; only what needs another form is decoded.

enum { SKIN, EYE, TEETH, TONGUE, LASH, MATERIALS };
enum { EXPRESSIONS = 4, FIELDS = 6, MARKS = 12, HARMONICS = 16, STYLES = 32, SKINS = 32, AGES = 3 };
enum { RED, LIPS, SCALP, HAIR_SHADE, CAVITY, CLOTH };  // order of head.fields
enum { TEXELS = 256, CHART_COLUMNS = 224, CHART_ROWS = 320 };  // sides of a skin's texture and of the chart, see skin.c

typedef struct { const u16 *corners; u32 count; } Mesh;  // triangles: three vertices and the material of each

// What a head wears follows its shape: vertex = sum of weights * anchors of the resting head + offset.
typedef struct {
  u32 points, anchors_each;
  const float *weights;
  const u16 *anchors;
  const vec *offsets;
  Mesh mesh;
} Wearable;

// Hair: a mesh with a texture that gives shade and opacity.
typedef struct {
  Wearable worn;
  u32 columns, rows, covers_ears;  // columns and rows of the texture; 0: there is no such style
  float texels_per_cm;
  vec *places;                     // of each vertex: column and row in the texture
  u8 *texture, *soft;              // shade and opacity, one after the other; both together, without fine details
  int softened;                    // the size of the picture that it was softened for
} Hair;

// A line of skins: the skin of one person when young, middle-aged and old.
typedef struct {
  u8 *textures;     // AGES x 3 channels x TEXELS x TEXELS; 0: there is no such skin
  u16 *soft;        // AGES x TEXELS x TEXELS x 4: relative to the mean, without fine details
  vec means[AGES];  // mean of each skin's logarithm over the face
  int softened;
} Skin;

static struct {
  int attached;
  int identity;       // people name the head they were packed for
  u32 coarse, fine;   // numbers of vertices
  u32 widest;         // most vertices of any wearable
  const int *starts;  // subdivision: a sparse matrix from coarse to fine vertices, by rows
  const u16 *columns;
  const float *weights;
  const vec *expressions;  // EXPRESSIONS x coarse: smile, parted lips, open mouth, wide eyes
  const vec *visibility;   // fine x 4: spherical harmonics of the directions that nothing hides
  const float *fields;     // FIELDS x fine, see skin.c
  // of each fine vertex: highlight (opacity of lashes), share of rotation, what hair presses to the head, place (x, y)
  const float *gloss, *turns, *ears, *chart;
  const u16 *uv;           // fine x 2: places in a skin's texture
  float texels_per_cm;     // of the skins
  u8 *makeup;              // 3 channels of the chart: eyes, lips, cheeks
  const u8 *materials;
  const u16 *marks;  // coarse vertices of the landmarks
  Mesh whole, bare, haired, lashes;  // all triangles; those drawn without and with hair; lashes
  Wearable glasses;
  Hair hair[STYLES];
  Skin skins[SKINS];
} head;

// Read triangles: three lists of corners, each corner as the difference to the one before, which compresses to half.
// They become four numbers each, with the material in the fourth.
static int read_triangles(const Blob *blob, const char *name, u32 points, const u8 *material, Mesh *out) {
  const u16 *stored;
  SECTION(name, U16, 3 * out->count, stored);
  u16 *corners = keep((u64)out->count * 8);
  if (!corners) return failure(NO_MEMORY, name);
  for (int k = 0; k < 3; k++)
    for (u32 i = 0, corner = 0; i < out->count; i++) {
      corner = (u16)(corner + stored[k * out->count + i]);
      if (corner >= points) return failure(BAD_INDEX, name);
      corners[4 * i + k] = (u16)corner, corners[4 * i + 3] = material ? material[i] : 0;
    }
  out->corners = corners;
  return FINE;
}

// Decode points (n, 3), stored in 16 bits, to four numbers each.
static vec *points_from_half(const u16 *from, u32 count) {
  vec *out = keep((u64)count * sizeof(vec));
  for (u32 i = 0; out && i < count; i++)
    out[i] = (vec){from_half(from[3 * i]), from_half(from[3 * i + 1]), from_half(from[3 * i + 2]), 0};
  return out;
}

// Number of a section's rows of `width` numbers.
static int rows_of(const Blob *blob, const char *name, Kind kind, u32 width, u32 *rows) {
  const void *data;
  u32 found;
  TRY(section(blob, name, kind, -1, &data, &found));
  *rows = found / width;
  return found % width || !found || *rows > 65535 ? failure(BAD_SECTION, name) : FINE;
}

static char full[16];
static const char *named(const char *prefix, const char *name) {  // "hair03" + ".weights"
  int i = 0;
  for (; *prefix && i < 15; prefix++) full[i++] = *prefix;
  for (; *name && i < 15; name++) full[i++] = *name;
  full[i] = 0;
  return full;
}

static int read_wearable(const Blob *blob, const char *prefix, Wearable *out) {
  const u8 *weights;
  const u16 *offsets;
  u32 total;
  TRY(rows_of(blob, named(prefix, ".offsets"), F16, 3, &out->points));
  TRY(rows_of(blob, named(prefix, ".tri"), U16, 3, &out->mesh.count));
  TRY(rows_of(blob, named(prefix, ".weights"), U8, out->points, &out->anchors_each));
  total = out->points * out->anchors_each;
  SECTION(named(prefix, ".weights"), U8, total, weights);
  SECTION(named(prefix, ".anchors"), U16, total, out->anchors);
  TRY(check_below(out->anchors, total, head.coarse, full));
  SECTION(named(prefix, ".offsets"), F16, 3 * out->points, offsets);
  TRY(read_triangles(blob, named(prefix, ".tri"), out->points, 0, &out->mesh));
  float *share = keep((u64)total * sizeof(float));
  out->offsets = points_from_half(offsets, out->points);
  if (!share || !out->offsets) return failure(NO_MEMORY, prefix);
  for (u32 i = 0; i < out->points; i++) {
    float sum = 0, *own = share + i * out->anchors_each;
    for (u32 k = 0; k < out->anchors_each; k++) sum += own[k] = weights[i * out->anchors_each + k];
    if (!(sum > 0)) return failure(BAD_NUMBER, named(prefix, ".weights"));
    for (u32 k = 0; k < out->anchors_each; k++) own[k] /= sum;
  }
  out->weights = share;
  if (out->points > head.widest) head.widest = out->points;
  return FINE;
}

static int read_hair(const Blob *blob, const char *prefix, Hair *hair) {
  const float *facts;
  const u16 *uv;
  u8 *texture;
  SECTION(named(prefix, ".facts"), F32, 4, facts);  // columns and rows of the texture, texels in a cm, covers the ears
  if (!(facts[0] >= 2 && facts[0] <= 512 && facts[1] >= 2 && facts[1] <= 512)) return failure(BAD_NUMBER, full);
  u32 columns = (u32)facts[0], rows = (u32)facts[1];
  if (!(facts[2] > 0)) return failure(BAD_NUMBER, full);
  hair->texels_per_cm = facts[2], hair->covers_ears = facts[3] != 0;
  TRY(read_wearable(blob, prefix, &hair->worn));
  u32 points = hair->worn.points;
  SECTION(named(prefix, ".texture"), U8, 2 * columns * rows, texture);
  SECTION(named(prefix, ".uv"), U16, 2 * points, uv);
  hair->places = keep((u64)points * sizeof(vec));
  hair->soft = keep(2 * columns * rows);
  if (!hair->places || !hair->soft) return failure(NO_MEMORY, prefix);
  for (u32 i = 0; i < points; i++)
    hair->places[i] = (vec){uv[2 * i] * (columns / 65535.0f), uv[2 * i + 1] * (rows / 65535.0f), 0, 0};
  undo_differences(texture, 2, rows, columns);
  hair->texture = texture, hair->columns = columns, hair->rows = rows;
  return FINE;
}

static int read_subdivision(const Blob *blob) {
  u32 entries;
  TRY(rows_of(blob, "subdivide.start", I32, 1, &head.fine));
  if (--head.fine == 0) return failure(BAD_SECTION, "subdivide.start");
  SECTION("subdivide.start", I32, head.fine + 1, head.starts);
  TRY(section(blob, "subdivide.index", U16, -1, (const void **)&head.columns, &entries));
  SECTION("subdivide.data", F32, entries, head.weights);
  TRY(check_below(head.columns, entries, head.coarse, "subdivide.index"));
  for (u32 i = 0; i <= head.fine; i++) {
    int low = i ? head.starts[i - 1] : 0, high = i < head.fine ? (int)entries : head.starts[i];
    if (head.starts[i] < low || head.starts[i] > high) return failure(BAD_INDEX, "subdivide.start");
  }
  return head.starts[0] == 0 && head.starts[head.fine] == (int)entries ? FINE : failure(BAD_INDEX, "subdivide.start");
}

static int read_mesh(const Blob *blob) {
  const u8 *material, *covered;
  Mesh *whole = &head.whole, *parts[] = {&head.bare, &head.haired, &head.lashes};
  TRY(rows_of(blob, "triangles", U16, 3, &whole->count));
  SECTION("material", U8, whole->count, material);
  SECTION("covered", U8, whole->count, covered);
  TRY(read_triangles(blob, "triangles", head.fine, material, whole));
  u8 *of_vertex = keep(head.fine);
  if (!of_vertex) return failure(NO_MEMORY, "head");
  __builtin_memset(of_vertex, 0, head.fine);
  head.materials = of_vertex;
  for (u32 i = 0; i < whole->count; i++) {
    if (material[i] >= MATERIALS) return failure(BAD_INDEX, "material");
    for (int k = 0; k < 3; k++) of_vertex[whole->corners[4 * i + k]] = material[i];
  }
  for (int part = 0; part < 3; part++) {
    u16 *to = keep((u64)whole->count * 8);
    if (!to) return failure(NO_MEMORY, "head");
    *parts[part] = (Mesh){to, 0};
    for (u32 i = 0; i < whole->count; i++) {
      int lash = material[i] == LASH;
      if (part == 2 ? lash : !lash && !(part == 1 && covered[i]))
        __builtin_memcpy(to + 4 * parts[part]->count++, whole->corners + 4 * i, 8);
    }
  }
  return FINE;
}

static int read_vertices(const Blob *blob) {
  const short *expressions;
  const float *scale, *texels;
  const signed char *visible;
  const u16 *fields;
  u32 coarse = head.coarse, fine = head.fine;
  SECTION("expressions", I16, EXPRESSIONS * 3 * coarse, expressions);
  SECTION("scale", F32, EXPRESSIONS, scale);
  SECTION("visibility", I8, HARMONICS * fine, visible);
  SECTION("fields", U16, FIELDS * fine, fields);
  SECTION("gloss", F32, fine, head.gloss);
  SECTION("turns", F32, fine, head.turns);
  SECTION("ears", F32, fine, head.ears);
  SECTION("chart", F32, 2 * fine, head.chart);
  SECTION("uv", U16, 2 * fine, head.uv);
  SECTION("texels", F32, 1, texels);
  if (!(*texels > 0)) return failure(BAD_NUMBER, "texels");
  head.texels_per_cm = *texels;
  SECTION("marks", U16, MARKS, head.marks);
  TRY(check_below(head.marks, MARKS, coarse, "marks"));
  vec *moves = keep((u64)EXPRESSIONS * coarse * sizeof(vec)), *seen = keep((u64)fine * 4 * sizeof(vec));
  float *decoded = keep((u64)FIELDS * fine * sizeof(float));
  if (!moves || !seen || !decoded) return failure(NO_MEMORY, "head");
  for (u32 e = 0; e < EXPRESSIONS; e++)
    for (u32 i = e * coarse; i < (e + 1) * coarse; i++)
      moves[i] = (vec){expressions[3 * i], expressions[3 * i + 1], expressions[3 * i + 2], 0} * scale[e];
  for (u32 i = 0; i < HARMONICS * fine; i++) ((float *)seen)[i] = visible[i] / 16.0f;
  for (u32 i = 0; i < fine; i++)  // what is behind closed lips gets the light that an open mouth lets in
    if (head.materials[i] == TEETH || head.materials[i] == TONGUE) {
      for (int k = 0; k < 4; k++) seen[4 * i + k] = all(0);
      seen[4 * i][0] = 2.9f;
    }
  for (u32 i = 0; i < FIELDS * fine; i++) decoded[i] = fields[i] / 65535.0f;
  head.expressions = moves, head.visibility = seen, head.fields = decoded;
  return FINE;
}

static float linear_of[256];  // of an sRGB value of 8 bits

static void make_linear(void) {
  for (int i = 0; i < 256; i++) {
    float x = i / 255.0f;
    linear_of[i] = x <= 0.04045f ? x / 12.92f : power((x + 0.055f) / 1.055f, 2.4f);
  }
}

// The skin of a face is where the chart is and where nothing else than skin is. Its mean colour makes a skin comparable
// with the tone that a person's skin shall have.
static int read_skin(const Blob *blob, const char *name, Skin *skin) {
  enum { AREA = TEXELS * TEXELS };
  SECTION(name, U8, AGES * 3 * AREA, skin->textures);
  if (!(skin->soft = keep(AGES * AREA * 8))) return failure(NO_MEMORY, name);
  undo_differences(skin->textures, AGES * 3, TEXELS, TEXELS);
  for (int age = 0; age < AGES; age++) {  // red and blue are stored as differences to green
    u8 *red = skin->textures + age * 3 * AREA, *green = red + AREA, *blue = green + AREA;
    for (int i = 0; i < AREA; i++) red[i] = (u8)(red[i] + green[i]), blue[i] = (u8)(blue[i] + green[i]);
  }
  float count = 1e-9f;
  for (int age = 0; age < AGES; age++) skin->means[age] = all(0);
  for (u32 i = 0; i < head.fine; i++) {
    const float *other = head.fields + i;
    if (head.materials[i] != SKIN || !(magnitude(head.chart[2 * i]) < 7)) continue;
    if (other[LIPS * head.fine] > 0.1f || other[CAVITY * head.fine] > 0.1f || other[CLOTH * head.fine] > 0.1f) continue;
    u32 at = (head.uv[2 * i + 1] >> 8) * TEXELS + (head.uv[2 * i] >> 8);
    for (int age = 0; age < AGES; age++) {
      const u8 *t = skin->textures + age * 3 * AREA + at;
      vec color = {linear_of[t[0]], linear_of[t[AREA]], linear_of[t[2 * AREA]], 1};
      skin->means[age] += log4(larger(color, all(1e-3f)));
    }
    count++;
  }
  for (int age = 0; age < AGES; age++) skin->means[age] /= all(count);
  return FINE;
}

static int read_head(const Blob *blob, u32 bytes) {
  const int *identity;
  TRY(check_blob(blob, bytes, "HEAD"));
  SECTION("identity", I32, 1, identity);
  head.identity = *identity;
  make_linear();
  TRY(rows_of(blob, "expressions", I16, 3 * EXPRESSIONS, &head.coarse));
  TRY(read_subdivision(blob));
  TRY(read_mesh(blob));
  TRY(read_vertices(blob));
  TRY(read_wearable(blob, "glasses", &head.glasses));
  SECTION("makeup", U8, 3 * CHART_ROWS * CHART_COLUMNS, head.makeup);
  undo_differences(head.makeup, 3, CHART_ROWS, CHART_COLUMNS);
  for (int i = 0; i < STYLES; i++) {
    char hair[] = {'h', 'a', 'i', 'r', '0' + i / 10, '0' + i % 10, 0};
    char skin[] = {'s', 'k', 'i', 'n', '0' + i / 10, '0' + i % 10, 0};
    if (find(blob, named(hair, ".facts"))) TRY(read_hair(blob, hair, head.hair + i));
    if (find(blob, skin)) TRY(read_skin(blob, skin, head.skins + i));
  }
  return FINE;
}
