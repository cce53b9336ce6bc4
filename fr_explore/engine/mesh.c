// Vertices: shape at an age and with an expression, subdivision, rotation on the neck, projection, normals.
// Units are cm; x points to the right of the picture, y up, z to the camera; the origin is midway between the eyes.

static const vec PIVOT = {0, -6.5f, -9.0f, 0};  // on the neck
static const float DISTANCE = 110, WIDTH = 25, RISE = 0.9f;  // of the camera; side and height of what it sees

// What is drawn of a vertex, all of it in one line of the processor's cache. Its colour is texture * painted + plain;
// painted[3] is the highlight, plain[3] the mean light; `chart` is the place on the chart in cm, and in a skin's texture
// in texels.
typedef struct { vec painted, plain, chart, spare; } Shaded;

static struct {
  vec *rest, *posed;                             // coarse vertices without and with the expression
  vec *points, *normals, *screen;                // fine vertices
  Shaded *shaded;
  u8 *visible;  // see raster.c
} body;
typedef struct { vec *points, *normals, *screen, *color, *tangents; u8 *visible; } Worn;
static Worn strands, frames;  // hair and glasses

static vec turn[3];  // columns of the head's rotation
static int side;     // of the picture, in pixels

static int make_vertices(void) {
  vec **coarse[] = {&body.rest, &body.posed};
  vec **fine[] = {&body.points, &body.normals, &body.screen};
  for (int i = 0; i < 2; i++) if (!(*coarse[i] = keep((u64)head.coarse * 16))) return failure(NO_MEMORY, "head");
  for (int i = 0; i < 3; i++) if (!(*fine[i] = keep((u64)head.fine * 16))) return failure(NO_MEMORY, "head");
  for (int i = 0; i < 2; i++) {
    Worn *worn = i ? &frames : &strands;
    u64 bytes = (u64)(i ? head.glasses.points : head.widest) * 16;
    vec **arrays[] = {&worn->points, &worn->normals, &worn->screen, &worn->color, &worn->tangents};
    for (int k = 0; k < 5; k++) if (!(*arrays[k] = keep(bytes))) return failure(NO_MEMORY, "head");
    if (!(worn->visible = keep(bytes / 16))) return failure(NO_MEMORY, "head");
  }
  if (!(body.visible = keep(head.fine)) || !(body.shaded = keep((u64)head.fine * sizeof(Shaded)))) return failure(NO_MEMORY, "head");
  for (u32 i = 0; i < head.fine; i++) {
    vec place = {head.chart[2 * i], head.chart[2 * i + 1], head.uv[2 * i], head.uv[2 * i + 1]};
    body.shaded[i].chart = place * (vec){1, 1, TEXELS / 65535.0f, TEXELS / 65535.0f};
  }
  return FINE;
}

// Positive yaw turns to the right of the picture, positive pitch upwards; the pitch comes first.
static void pose(void) {
  double yaw = radians(now.head_angle), pitch = radians(-now.head_pitch);
  float cy = (float)cosine(yaw), sy = (float)sine(yaw), cp = (float)cosine(pitch), sp = (float)sine(pitch);
  turn[0] = (vec){cy, 0, -sy, 0};
  turn[1] = (vec){sy * sp, cp, cy * sp, 0};
  turn[2] = (vec){sy * cp, -sp, cy * cp, 0};
}
INLINE vec rotated(vec p) { return p[0] * turn[0] + p[1] * turn[1] + p[2] * turn[2]; }
INLINE vec rotated_back(vec p) { return (vec){dot(p, turn[0]), dot(p, turn[1]), dot(p, turn[2]), 0}; }

// Rotate a point by a share of the head's rotation.
INLINE vec placed(vec p, float share) {
  vec local = p - PIVOT;
  return p + share * (rotated(local) - local);
}

// Pixel coordinates, y downwards, and nearness 1 / depth, which is linear over a flat triangle.
INLINE vec projected(vec p) {
  float near = 1.0f / most(DISTANCE - p[2], 1.0f), scale = near * (DISTANCE * side / WIDTH);
  return (vec){p[0] * scale + side * 0.5f, (RISE - p[1]) * scale + side * 0.5f, near, 0};
}

// Area-weighted unit normals.
static void find_normals(const vec *points, u32 count, Mesh mesh, vec *normals) {
  for (u32 i = 0; i < count; i++) normals[i] = all(0);
  for (u32 i = 0; i < mesh.count; i++) {
    u32 a = mesh.corners[4 * i], b = mesh.corners[4 * i + 1], c = mesh.corners[4 * i + 2];
    vec u = points[b] - points[a], v = points[c] - points[a];
    vec u1 = __builtin_shufflevector(u, u, 1, 2, 0, 3), u2 = __builtin_shufflevector(u, u, 2, 0, 1, 3);
    vec v1 = __builtin_shufflevector(v, v, 1, 2, 0, 3), v2 = __builtin_shufflevector(v, v, 2, 0, 1, 3);
    vec cross = u1 * v2 - u2 * v1;
    normals[a] += cross, normals[b] += cross, normals[c] += cross;
  }
  for (u32 i = 0; i < count; i++) normals[i] /= all(root(dot(normals[i], normals[i]) + 1e-20f));
}

// Unit vectors along the strands: the direction in which the texture's rows run.
static void find_tangents(const Wearable *worn, const vec *places) {
  vec *out = strands.tangents;
  for (u32 i = 0; i < worn->points; i++) out[i] = all(0);
  for (u32 i = 0; i < worn->mesh.count; i++) {
    const u16 *c = worn->mesh.corners + 4 * i;
    vec p = strands.points[c[1]] - strands.points[c[0]], q = strands.points[c[2]] - strands.points[c[0]];
    vec s = places[c[1]] - places[c[0]], t = places[c[2]] - places[c[0]];
    vec along = (s[0] * q - t[0] * p) * (s[0] * t[1] - s[1] * t[0] < 0 ? -1.0f : 1.0f);
    for (int k = 0; k < 3; k++) out[c[k]] += along;
  }
  for (u32 i = 0; i < worn->points; i++) out[i] /= all(root(dot(out[i], out[i]) + 1e-12f));
}

INLINE vec worn_point(const Wearable *worn, u32 i, float away) {
  vec p = away * worn->offsets[i];
  for (u32 k = i * worn->anchors_each; k < (i + 1) * worn->anchors_each; k++)
    p += worn->weights[k] * body.rest[worn->anchors[k]];
  return p;
}

static const float UPPER_TEETH = -7.1f;  // they are above this height

// Every resting face smiles a little; the lips part only in a wide smile.
static void shape_body(const Person *person) {
  float share = (now.age - 18) / 70, smile = 0.18f + person->traits.smile + 0.82f * now.expression;
  int covers = person->style >= 0 && head.hair[person->style].covers_ears;
  const vec *e = head.expressions;
  u32 n = head.coarse;
  for (u32 i = 0; i < n; i++) {
    vec rest = person->young[i] + share * (person->old[i] - person->young[i]);
    body.rest[i] = rest;
    body.posed[i] = rest + smile * e[i] + (smile * smile) * e[n + i] + now.mouth_open * e[2 * n + i] + 0.25f * e[3 * n + i];
  }
  for (u32 i = 0; i < head.fine; i++) {
    vec p = all(0);
    for (int k = head.starts[i]; k < head.starts[i + 1]; k++) p += head.weights[k] * body.posed[head.columns[k]];
    // below the lip of an open mouth, the upper teeth show and the tongue sinks
    if (head.materials[i] == TEETH && body.shaded[i].chart[1] > UPPER_TEETH) p[1] -= 0.55f * now.mouth_open;
    if (head.materials[i] == TONGUE) p[1] -= 0.35f * now.mouth_open;
    if (covers) {  // hair presses the ears to the head
      float aside = 0.8f * head.ears[i] * most(magnitude(p[0]) - 6.9f, 0);
      p[0] = p[0] > 0 ? p[0] - aside : p[0] + aside;
    }
    body.points[i] = placed(p, head.turns[i]);
    body.screen[i] = projected(body.points[i]);
  }
  find_normals(body.points, head.fine, head.whole, body.normals);
}

// Vertices of glasses, which turn with the head.
static void shape_glasses(void) {
  const Wearable *worn = &head.glasses;
  for (u32 i = 0; i < worn->points; i++) {
    frames.points[i] = placed(worn_point(worn, i, 1), 1);
    frames.screen[i] = projected(frames.points[i]);
  }
  find_normals(frames.points, worn->points, worn->mesh, frames.normals);
}

// Vertices of hair. It turns less with the head the lower it hangs.
static void shape_hair(const Person *person) {
  const Wearable *worn = &head.hair[person->style].worn;
  const float above = 2.5f;  // below this height hair hangs
  for (u32 i = 0; i < worn->points; i++) {
    vec p = worn_point(worn, i, person->traits.volume);
    if (p[1] < above) p[1] = above + (p[1] - above) * person->traits.length;
    if (person->mirrored) p[0] = -p[0];
    strands.points[i] = p = placed(p, sigmoid((p[1] + 19) / 2.5f));
    strands.screen[i] = projected(p);
  }
  find_normals(strands.points, worn->points, worn->mesh, strands.normals);
  find_tangents(worn, head.hair[person->style].places);
}

static float marks[10];
EXPORT("landmarks") const float *landmarks(void) { return marks; }

// Centres of the eyes' lid openings, tip of the nose, corners of the mouth. (The last mark, the chin, is only for scale.)
static void find_landmarks(void) {
  for (int i = 0; i < 10; i++) marks[i] = 0;
  for (int i = 0; i < 11; i++) {
    vec p = projected(placed(body.posed[head.marks[i]], 1));
    int to = i < 8 ? i / 4 : i - 6;
    float share = i < 8 ? 0.25f : 1;
    marks[2 * to] += share * p[0], marks[2 * to + 1] += share * p[1];
  }
}
