// Image attributes of any picture: blur, hue, saturation, contrast, brightness, noise, in this order; clipped once at the
// end. Neutral values leave the picture as it is.

static const double LUMA[3] = {0.2126, 0.7152, 0.0722};  // ITU-R BT.709

// Four random numbers of 32 bits from a counter and a key: Philox-4x32-10 (Salmon et al. 2011), no state.
INLINE void philox(u32 x[4], u32 key) {
  u32 k0 = key, k1 = 0;
  for (int round = 0; round < 10; round++) {
    u64 a = 0xD2511F53ull * x[0], b = 0xCD9E8D57ull * x[2];
    u32 next[4] = {(u32)(b >> 32) ^ x[1] ^ k0, (u32)b, (u32)(a >> 32) ^ x[3] ^ k1, (u32)a};
    for (int i = 0; i < 4; i++) x[i] = next[i];
    k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
  }
}

// Four standard normal numbers (Box and Muller 1958): grain number 4 i to 4 i + 3 of a seed.
INLINE vec grain4(u32 i, u32 seed) {
  u32 x[4] = {i, 0, 0, 0};
  philox(x, seed);
  float u = ((x[0] >> 9) + 0.5f) * 0x1p-23f, v = ((x[2] >> 9) + 0.5f) * 0x1p-23f;
  float s = (x[1] >> 8) * 0x1p-24f, t = (x[3] >> 8) * 0x1p-24f;
  vec radius = root4(-2.0f * log4((vec){u, u, v, v}));
  return radius * sine_of_turns((vec){s + 0.25f, s, t + 0.25f, t});  // cosine, sine
}

// Matrix that rotates colours about the grey axis by `hue` (Rodrigues' formula about (1, 1, 1) / sqrt(3)), which leaves
// greys unchanged, then scales their distance from grey. Its columns: the colours of pure red, green and blue.
static void color_matrix(vec columns[3]) {
  double angle = radians(now.hue), c = cosine(angle), s = sine(angle) / __builtin_sqrt(3.0), third = (1 - c) / 3;
  double turned[3][3] = {{c + third, third - s, third + s}, {third + s, c + third, third - s},
                         {third - s, third + s, c + third}};
  for (int k = 0; k < 3; k++) {
    double grey = LUMA[0] * turned[0][k] + LUMA[1] * turned[1][k] + LUMA[2] * turned[2][k];
    columns[k] = all(0);
    for (int i = 0; i < 3; i++) columns[k][i] = (float)(grey + now.saturation * (turned[i][k] - grey));
  }
}

static void recolor(float *to, const float *from, u64 pixels) {
  vec m[3];
  color_matrix(m);
  for (u64 i = 0; i < pixels; i++, from += 3, to += 3) {
    vec c = from[0] * m[0] + from[1] * m[1] + from[2] * m[2];
    to[0] = c[0], to[1] = c[1], to[2] = c[2];
  }
}

static float mean_grey(const float *p, u64 pixels) {
  double sum[3] = {0, 0, 0};
  for (u64 i = 0; i < 3 * pixels; i += 3)
    for (int k = 0; k < 3; k++) sum[k] += p[i + k];
  return (float)((LUMA[0] * sum[0] + LUMA[1] * sum[1] + LUMA[2] * sum[2]) / (double)pixels);
}

// From picture.plain to picture.result.
static void apply_image_attributes(u32 seed) {
  u64 pixels = (u64)picture.width * picture.height;
  const float *from = picture.plain;
  float *to = picture.result;
  if (now.blur > 0) {
    blur(to, from, picture.between, picture.row, picture.height, picture.width, 3, now.blur * picture.width / 160.0f);
    from = to;
  }
  if (now.hue != 0 || now.saturation != 1) {
    recolor(to, from, pixels);
    from = to;
  }
  float grey = now.contrast != 1 ? mean_grey(from, pixels) : 0;
  for (u64 i = 0; i < 3 * pixels; i += 4) {
    vec x = load(from + i);
    if (now.contrast != 1) x = grey + now.contrast * (x - grey);
    if (now.brightness != 1) x = x * now.brightness;
    if (now.noise > 0) x = x + now.noise * grain4((u32)(i / 4), seed);
    store(to + i, within(x, 0, 1));
  }
  picture.out = to, picture.bytes_made = 0;
}
