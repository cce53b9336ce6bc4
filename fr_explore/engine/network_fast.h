// 3 x 3 convolutions with 16 instead of 36 multiplications for 2 x 2 pixels, channel by channel: Winograd's
// F(2 x 2, 3 x 3) (A. Lavin, S. Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016).
//
// In one dimension, two outputs of a kernel g of length 3 come from four inputs d as
//     m = (G g) * (B d), products of four numbers each        output = A m
//     G g = (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2)
//     B d = (d0 - d2, d1 + d2, d2 - d1, d1 - d3)
//     A m = (m0 + m1 + m2, m1 - m2 - m3)
// In two dimensions the same is done with rows, then with columns. The sum over input channels can be taken before A,
// so all the work is 16 small matrix products, one for each place of the 4 x 4 products: [tiles, inputs] by
// [inputs, outputs]. `load` computes G g of the weights once.

#define PLACES 16
#define TILES 32        // are transformed and multiplied together, so that their numbers stay in the cache
#define FEWEST_TILES 12 // with fewer, the larger weights cost more than the multiplications that they save

static int is_fast(const Layer *l, const Tensor *in, const Tensor *out) {
  const int tiles = ((out->height + 1) / 2) * ((out->width + 1) / 2);
  return l->operation == CONVOLUTION && l->kernel_height == 3 && l->kernel_width == 3 && l->step == 1 &&
         in->stride % GROUP == 0 && tiles >= FEWEST_TILES;
}

// Floats from the tiles of one place to those of the next. The 16 keep places out of each other's way in the cache,
// where addresses that are a power of two apart compete.
static int between_places(const Tensor *t) { return TILES * t->stride + 16; }

// Floats that `convolve_fast` needs beside its tensors: of the transformed inputs, then of the products.
static long long scratch_of(const Tensor *in, const Tensor *out) {
  return (long long)PLACES * (between_places(in) + between_places(out));
}

// G g: from the order [o / 8][tap][c][o % 8] to [place][o / 8][c][o % 8].
static void transform_weights(const float *from, float *to, int inputs, int outputs) {
  static const float G[4][3] = {{1, 0, 0}, {.5f, .5f, .5f}, {.5f, -.5f, .5f}, {0, 0, 1}};
  const long group = (long)inputs * GROUP;
  for (int place = 0; place < PLACES; place++)
    for (int o = 0; o < outputs / GROUP; o++)
      for (long i = 0; i < group; i++) {
        float sum = 0;
        for (int tap = 0; tap < 9; tap++)
          sum += G[place / 4][tap / 3] * G[place % 4][tap % 3] * from[(o * 9 + tap) * group + i];
        to[(place * (outputs / GROUP) + o) * group + i] = sum;
      }
}

// Four numbers that are `step` apart, replaced by B d.
static void transform4(f4 *d, int step) {
  const f4 d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  d[0] = d0 - d2, d[step] = d1 + d2, d[2 * step] = d2 - d1, d[3 * step] = d1 - d3;
}

// The 4 x 4 pixels that a tile needs, transformed. Where they lie beyond the border, the results are not used.
static void transform_tile(const Tensor *in, int y, int x, float *to) {
  const int last_row = in->height + in->border - 1, last_column = in->width + in->border - 1;
  const float *from[PLACES];
  for (int place = 0; place < PLACES; place++) {
    const int row = y + place / 4, column = x + place % 4;
    from[place] = pixel(in, row < last_row ? row : last_row, column < last_column ? column : last_column);
  }
  for (int c = 0; c < in->stride; c += 4) {
    f4 d[PLACES];
    for (int place = 0; place < PLACES; place++) d[place] = load4(from[place] + c);
    for (int i = 0; i < 4; i++) transform4(d + i, 4);
    for (int i = 0; i < 4; i++) transform4(d + 4 * i, 1);
    for (int place = 0; place < PLACES; place++) store4(to + place * between_places(in) + c, d[place]);
  }
}

// The matrix products of `count` tiles at all places.
static void multiply(const Tensor *in, const Tensor *out, const float *w, const float *inputs, float *products,
                     int count) {
  for (int place = 0; place < PLACES; place++, inputs += between_places(in), products += between_places(out))
    for (int channel = 0; channel < out->stride; channel += GROUP, w += (long)in->stride * GROUP)
      for (int t = 0; t < count; t += PIXELS) {
        f4 sums[PIXELS][2];
        const float *rows[PIXELS];
        for (int k = 0; k < PIXELS; k++) sums[k][0] = sums[k][1] = fill4(0), rows[k] = inputs + (t + k) * in->stride;
        accumulate(sums, rows, w, in->stride);
        for (int k = 0; k < PIXELS; k++) {
          store4(products + (t + k) * out->stride + channel, sums[k][0]);
          store4(products + (t + k) * out->stride + channel + 4, sums[k][1]);
        }
      }
}

// The 2 x 2 pixels of a tile: A m by rows and columns, bias and activation.
static void finish_tile(const Layer *l, const float *products, const Tensor *out, int y, int x) {
  for (int c = 0; c < out->stride; c += 4) {
    f4 m[PLACES], rows[8];
    for (int place = 0; place < PLACES; place++) m[place] = load4(products + place * between_places(out) + c);
    for (int i = 0; i < 4; i++) rows[i] = m[i] + m[4 + i] + m[8 + i], rows[4 + i] = m[4 + i] - m[8 + i] - m[12 + i];
    for (int i = 0; i < 2 && y + i < out->height; i++) {
      const f4 *r = rows + 4 * i, bias = load4(l->biases + c);
      store4(pixel(out, y + i, x) + c, activated(r[0] + r[1] + r[2] + bias, l, c));
      if (x + 1 < out->width) store4(pixel(out, y + i, x + 1) + c, activated(r[1] - r[2] - r[3] + bias, l, c));
    }
  }
}

static void convolve_fast(const Layer *l, const Tensor *in, const Tensor *out, float *scratch) {
  const int across = (out->width + 1) / 2, tiles = across * ((out->height + 1) / 2);
  float *const products = scratch + PLACES * between_places(in);
  for (int first = 0; first < tiles; first += TILES) {
    const int count = tiles - first < TILES ? tiles - first : TILES;
    for (int t = 0; t < count; t++) {
      const int y = (first + t) / across * 2, x = (first + t) % across * 2;
      transform_tile(in, y - l->padding, x - l->padding, scratch + t * in->stride);
    }
    multiply(in, out, l->weights, scratch, products, count);
    for (int t = 0; t < count; t++)
      finish_tile(l, products + t * out->stride, out, (first + t) / across * 2, (first + t) % across * 2);
  }
}
