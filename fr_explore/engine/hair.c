// Light and colour of hair and glasses.

static const vec HEAD_CENTRE = {0, 1.5f, -8.0f, 0};

// Light, highlight and place in the texture of hair's vertices. Cards of hair lie in many directions; their light follows
// the head's round shape more than their own. The highlight is that of a thin cylinder (Kajiya and Kay 1989),
// perpendicular to the strands. Hair near the skin gets less light, and its roots may be darker.
static void light_hair(const Person *person) {
  const Hair *hair = head.hair + person->style;
  vec centre = placed(HEAD_CENTRE, 1);
  for (u32 i = 0; i < hair->worn.points; i++) {
    if (!strands.visible[i]) continue;
    vec tangent = strands.tangents[i], outwards = strands.points[i] - centre;
    outwards[1] *= outwards[1] < 0 ? 0.25f : 1;  // long hair hangs, its light comes from aside
    outwards /= all(root(dot(outwards, outwards) + 1e-9f));
    vec normal = outwards + 0.8f * dot(outwards, strands.normals[i]) * strands.normals[i];  // of either side
    normal /= all(root(dot(normal, normal) + 1e-9f));
    vec offset = hair->worn.offsets[i];  // from the skin
    float lift = root(dot(offset, offset)), k = dot(tangent, lamp.key);
    float outer = 0.68f + 0.32f * smoothly((lift - 0.1f) / 1.2f), fresh = smoothly(1.2f - 0.7f * lift);
    float facing = most((dot(normal, lamp.key) + 0.35f) / 1.35f, 0), along = root(clamp(1 - k * k, 0, 1));
    float light = 1.5f * now.light_strength * facing * (0.7f + 0.3f * along) + 0.425f + 0.125f * normal[1];
    float h = dot(tangent + 0.12f * normal, lamp.half), x = clamp(1 - h * h, 0, 1);  // sin^2; to the power of 60 / 2
    float x2 = x * x, x4 = x2 * x2, x8 = x4 * x4, x16 = x8 * x8;
    float shine = now.light_strength * facing * (x16 * x8 * x4 * x2) * clamp(normal[2] + 0.3f, 0, 1) * outer * outer;
    strands.color[i] = hair->places[i];
    strands.color[i][2] = light * outer * (1 - person->traits.roots * fresh), strands.color[i][3] = shine;
  }
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
