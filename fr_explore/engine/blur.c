// Gaussian blur of rows of numbers, with the border repeated and cut at four standard deviations, as in
// scipy.ndimage.gaussian_filter(mode="nearest").

enum { MAX_RADIUS = 4096 };
static float bell[2 * MAX_RADIUS + 1];
static const float *sources[2 * MAX_RADIUS + 1];  // what is summed

static int make_bell(float sigma) {
  int radius = (int)least(4 * sigma + 0.5f, MAX_RADIUS);
  double total = 0;
  for (int i = -radius; i <= radius; i++) {
    float away = i ? i / sigma : 0;  // sigma may be so small that its square is 0
    total += bell[i + radius] = exp1(-0.5f * away * away);
  }
  for (int i = 0; i <= 2 * radius; i++) bell[i] = (float)(bell[i] / total);
  return radius;
}

// Sum of the numbers at sources[0] + x, sources[1] + x, ..., weighted by the bell, for x from 0 to `count`. The ends of
// `to` and of the sources may be read and written three numbers too far.
static void weighted(float *to, u32 count, int radius) {
  u32 x = 0;
  for (; x + 16 <= count; x += 16) {  // a sum does not wait for the one before it
    vec sum[4] = {all(0), all(0), all(0), all(0)};
    for (int k = 0; k <= 2 * radius; k++) {
      const float *p = sources[k] + x;
      for (int i = 0; i < 4; i++) sum[i] += bell[k] * load(p + 4 * i);
    }
    for (int i = 0; i < 4; i++) store(to + x + 4 * i, sum[i]);
  }
  for (; x < count; x += 4) {
    vec sum = all(0);
    for (int k = 0; k <= 2 * radius; k++) sum += bell[k] * load(sources[k] + x);
    store(to + x, sum);
  }
}

// Blur a picture (rows, columns, channels) into `to`; `between` has the same size, `line` has room for a row and the
// border on both sides. `to` may be `from`.
static void blur(float *to, const float *from, float *between, float *line, u32 rows, u32 columns, u32 channels,
                 float sigma) {
  int radius = make_bell(sigma), width = (int)(columns * channels);
  for (int y = 0; y < (int)rows; y++) {  // down the columns, one row at a time
    float *out = between + (u64)y * width;
    for (int k = -radius; k <= radius; k++) {
      int row = y + k < 0 ? 0 : y + k >= (int)rows ? (int)rows - 1 : y + k;
      sources[k + radius] = from + (u64)row * width;
    }
    weighted(out, (u32)width, radius);
  }
  for (int k = 0; k <= 2 * radius; k++) sources[k] = line + k * (int)channels;
  for (u32 y = 0; y < rows; y++) {  // along the rows
    const float *row = between + (u64)y * width;
    float *first = line + radius * channels;
    for (int x = 0; x < width; x++) first[x] = row[x];
    for (int x = -radius * (int)channels; x < 0; x++) first[x] = row[(x + radius * (int)channels) % (int)channels];
    for (int x = 0; x < radius * (int)channels; x++) first[width + x] = row[width - (int)channels + x % (int)channels];
    weighted(to + (u64)y * width, (u32)width, radius);
  }
}
