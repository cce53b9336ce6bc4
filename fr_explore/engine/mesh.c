// Vertices: shape at an age and with an expression, subdivision, rotation on the neck, projection, normals.
// Units are cm; x points to the right of the picture, y up, z to the camera; the origin is midway between the eyes.

static const vec PIVOT = {0, -6.5f, -9.0f, 0};  // on the neck
static const float DISTANCE = 110, WIDTH = 25, RISE = 0.9f;  // of the camera; side and height of what it sees

static struct {
  vec *rest, *posed;                             // coarse vertices without and with the expression
  vec *points, *normals, *screen, *color, *chart;  // fine vertices; color: RGB and the mean light
} body;
typedef struct { vec *points, *normals, *screen, *color; float *tips; } Worn;
static Worn strands, frames;  // hair and glasses

static vec turn[3];  // columns of the head's rotation
static int side;     // of the picture, in pixels

static int make_vertices(void) {
  vec **coarse[] = {&body.rest, &body.posed};
  vec **fine[] = {&body.points, &body.normals, &body.screen, &body.color, &body.chart};
  for (int i = 0; i < 2; i++) if (!(*coarse[i] = keep((u64)head.coarse * 16))) return failure(NO_MEMORY, "head");
  for (int i = 0; i < 5; i++) if (!(*fine[i] = keep((u64)head.fine * 16))) return failure(NO_MEMORY, "head");
  for (int i = 0; i < 2; i++) {
    Worn *worn = i ? &frames : &strands;
    u64 bytes = (u64)(i ? head.glasses.points : head.widest) * 16;
    vec **arrays[] = {&worn->points, &worn->normals, &worn->screen, &worn->color};
    for (int k = 0; k < 4; k++) if (!(*arrays[k] = keep(bytes))) return failure(NO_MEMORY, "head");
    if (!(worn->tips = keep(bytes / 4))) return failure(NO_MEMORY, "head");
  }
  for (u32 i = 0; i < head.fine; i++) body.chart[i] = (vec){head.chart[2 * i], head.chart[2 * i + 1], 0, 0};
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
    if (covers) {  // hair presses the ears to the head
      float aside = 0.8f * head.ears[i] * most(magnitude(p[0]) - 6.9f, 0);
      p[0] = p[0] > 0 ? p[0] - aside : p[0] + aside;
    }
    body.points[i] = placed(p, head.turns[i]);
    body.screen[i] = projected(body.points[i]);
  }
  find_normals(body.points, head.fine, head.whole, body.normals);
}

// Vertices of what the head wears; hair below the head rotates less, glasses rotate with it.
static void shape_worn(const Wearable *wearable, Worn *worn, int hangs) {
  for (u32 i = 0; i < wearable->points; i++) {
    vec p = wearable->offsets[i];
    u32 k = i * wearable->anchors_each, end = k + wearable->anchors_each;
    for (; k < end; k++) p += wearable->weights[k] * body.rest[wearable->anchors[k]];
    worn->points[i] = p = placed(p, hangs ? sigmoid((p[1] + 19) / 2.5f) : 1);
    worn->screen[i] = projected(p);
  }
  find_normals(worn->points, wearable->points, wearable->mesh, worn->normals);
}

// The first and the last strand coincide, as do both sides of the crown: their normals must agree.
static void join_sheet(const Hair *hair) {
  u32 columns = hair->columns, rows = hair->rows;
  vec *n = strands.normals;
  for (u32 r = 0; r < rows; r++) {
    u32 last = (columns - 1) * rows + r;
    n[r] = n[last] = (n[r] + n[last]) * 0.5f;
  }
  for (u32 c = 0; c <= (columns - 1) / 2; c++) {
    u32 other = (columns - 1 - c) * rows;
    n[c * rows] = n[other] = (n[c * rows] + n[other]) * 0.5f;
  }
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
