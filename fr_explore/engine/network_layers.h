// The arithmetic of the layers that `network.c` interprets. Read the page at the top of that file first.
//
// A tensor holds numbers by row, column and channel: all channels of a pixel lie side by side. Channels are stored in
// groups of eight, the last group filled with zeros, so that the loops below handle eight channels at a time and never
// ask how many are left. The picture itself is the exception: three channels, stored as three.
// Around its pixels a tensor may have a border of zeros, as wide as the padding of the layers that read it. A layer
// then reads outside the picture without asking whether it does.

#define GROUP 8   // channels in a group
#define PIXELS 4  // a convolution computes so many pixels of a group at once: with six, the registers do not suffice
#define BLOCK 32  // pixels whose numbers stay in the cache from one group of channels to the next
#define FEW_WEIGHTS 32768  // floats, 128 kB, that stay in the cache too

typedef float f4 __attribute__((vector_size(16), aligned(4)));  // four floats, one SIMD register

#ifdef RELAXED  // one rounding instead of two where the processor can: faster, but not the same bits everywhere
#define MULTIPLY_ADD(sum, a, b) (sum) = (f4)__builtin_wasm_relaxed_madd_f32x4((a), (b), (sum))
#else
#define MULTIPLY_ADD(sum, a, b) (sum) += (a) * (b)
#endif

typedef struct {
  int height, width, channels;
  int stride;   // floats from one pixel to the next: the channels, in whole groups
  int border;   // zero pixels on each side
  float *data;  // of the first pixel of the border
} Tensor;

// the first five move a window over their input
enum Operation { CONVOLUTION, DEPTHWISE, LARGEST, LARGEST_PARTIAL, MEAN, ENLARGE, ADD, NORMALISE, OPERATIONS };
enum Activation { NONE, RELU, PRELU, SIGMOID };

typedef struct {
  int operation, first, second, out;  // the second input, of an addition only
  int kernel_height, kernel_width, step, padding;
  int channels, activation, border;   // of the output
  int weight, bias, slope;            // places in the blob's table of arrays, or NO_ARRAY
  float *weights, *biases, *slopes;   // expanded by `load`
} Layer;

static int row_length(const Tensor *t) { return (t->width + 2 * t->border) * t->stride; }

// The pixel (y, x); both may reach into the border.
static float *pixel(const Tensor *t, int y, int x) {
  return t->data + (y + t->border) * row_length(t) + (x + t->border) * t->stride;
}

static f4 load4(const float *p) { return *(const f4 *)p; }
static void store4(float *p, f4 v) { *(f4 *)p = v; }
static f4 fill4(float x) { return (f4){x, x, x, x}; }
static f4 max4(f4 a, f4 b) { return __builtin_wasm_max_f32x4(a, b); }
static f4 min4(f4 a, f4 b) { return __builtin_wasm_min_f32x4(a, b); }

static void zero(float *p, long count) {
  for (long i = 0; i < count; i++) p[i] = 0;
}

// max(x, 0), or for PRELU max(x, 0) + slope min(x, 0). A sigmoid is computed afterwards, by `sigmoid`.
static f4 activated(f4 x, const Layer *layer, int channel) {
  if (layer->activation == RELU) return max4(x, fill4(0));
  if (layer->activation == PRELU)
    return max4(x, fill4(0)) + load4(layer->slopes + channel) * min4(x, fill4(0));
  return x;
}

// e^x, as 2^n e^r with |r| <= ln(2) / 2 and a polynomial of degree 6 in r (Taylor; relative error below 2e-7).
static float exponential(float x) {
  x = x > 88 ? 88 : x < -87 ? -87 : x;
  int n = (int)(x * 1.442695041f + (x < 0 ? -.5f : .5f));
  float r = (x - n * .693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts, the first exact in a few bits
  float p = 1 + r * (1 + r * (.5f + r * (1 / 6.f + r * (1 / 24.f + r * (1 / 120.f + r / 720)))));
  union { unsigned bits; float value; } power = {(unsigned)(n + 127) << 23};
  return p * power.value;
}

// 1 / (1 + e^-x) of the channels that exist: the zeros that fill the last group stay zero.
static void sigmoid(const Tensor *t) {
  for (int y = 0; y < t->height; y++)
    for (int x = 0; x < t->width; x++) {
      float *p = pixel(t, y, x);
      for (int c = 0; c < t->channels; c++) p[c] = 1 / (1 + exponential(-p[c]));
    }
}

// Adds to the sums of four pixels the products of a run of numbers with the weights of eight channels.
static inline __attribute__((always_inline)) const float *accumulate(f4 sums[PIXELS][2], const float *const *rows,
                                                                     const float *w, int run) {
  for (int j = 0; j < run; j++, w += GROUP) {
    const f4 w0 = load4(w), w1 = load4(w + 4);
    for (int k = 0; k < PIXELS; k++) {
      const f4 x = fill4(rows[k][j]);
      MULTIPLY_ADD(sums[k][0], x, w0);
      MULTIPLY_ADD(sums[k][1], x, w1);
    }
  }
  return w;
}

// The output's channels of the pixels `start` to `end`, whose places are in `from` and `to`.
static void convolve_some(const Layer *layer, int run, int down, const float *const *from, float *const *to,
                          int channels, int start, int end) {
  for (int channel = 0; channel < channels; channel += GROUP) {
    const float *const group = layer->weights + (long)channel * layer->kernel_height * run;
    const f4 low = load4(layer->biases + channel), high = load4(layer->biases + channel + 4);
    for (int t = start; t < end; t += PIXELS) {
      f4 sums[PIXELS][2];
      for (int k = 0; k < PIXELS; k++) sums[k][0] = low, sums[k][1] = high;
      const float *w = group;
      for (int i = 0; i < layer->kernel_height; i++) {
        const float *rows[PIXELS];
        for (int k = 0; k < PIXELS; k++) rows[k] = from[t + k] + i * down;
        w = accumulate(sums, rows, w, run);
      }
      for (int k = 0; k < PIXELS; k++) {
        store4(to[t + k] + channel, activated(sums[k][0], layer, channel));
        store4(to[t + k] + channel + 4, activated(sums[k][1], layer, channel + 4));
      }
    }
  }
}

// out[y, x, o] = bias[o] + sum over i, j, c of in[y step + i - padding, x step + j - padding, c] weight[o, i, j, c].
// The weights are ordered [o / 8][i][j][c][o % 8]. In a row of the kernel, j and c together are one run of memory. A
// dense layer is a convolution whose kernel covers its whole input.
// `from` and `to` have room for the places of all pixels of the output, in the input and in the output.
static void convolve(const Layer *layer, const Tensor *in, const Tensor *out, const float **from, float **to) {
  const int count = out->height * out->width, run = layer->kernel_width * in->stride, down = row_length(in);
  for (int y = 0, t = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++, t++) {
      from[t] = pixel(in, y * layer->step - layer->padding, x * layer->step - layer->padding);
      to[t] = pixel(out, y, x);
    }
  for (int t = count; t % PIXELS; t++) from[t] = from[count - 1], to[t] = to[count - 1];  // the last pixel, repeated
  // few weights stay in the cache while all channels of some pixels are computed; otherwise each is read once
  const int block = (long)out->stride * layer->kernel_height * run <= FEW_WEIGHTS ? BLOCK : count;
  for (int i = 0; i < count; i += block)
    convolve_some(layer, run, down, from, to, out->stride, i, i + block < count ? i + block : count);
}

// A convolution of each channel on its own, with 3 x 3 weights, ordered [i][j][c]: those of four channels stay in
// registers along BLOCK pixels of a row, whose channels stay in the cache.
static void convolve_depthwise_3(const Layer *layer, const Tensor *in, const Tensor *out) {
  const int down = row_length(in), right = in->stride;
  for (int y = 0; y < out->height; y++)
    for (int start = 0; start < out->width; start += BLOCK)
      for (int c = 0; c < out->stride; c += 4) {
        const f4 bias = load4(layer->biases + c);
        const int end = start + BLOCK < out->width ? start + BLOCK : out->width;
        f4 w[9];
        for (int i = 0; i < 9; i++) w[i] = load4(layer->weights + i * right + c);
        const float *from = pixel(in, y * layer->step - layer->padding, start * layer->step - layer->padding) + c;
        float *to = pixel(out, y, start) + c;
        for (int x = start; x < end; x++, from += layer->step * right, to += out->stride) {
          f4 sum = bias;
          for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) MULTIPLY_ADD(sum, load4(from + i * down + j * right), w[3 * i + j]);
          store4(to, activated(sum, layer, c));
        }
      }
}

// The same for other kernels.
static void convolve_depthwise(const Layer *layer, const Tensor *in, const Tensor *out) {
  if (layer->kernel_height == 3 && layer->kernel_width == 3) {
    convolve_depthwise_3(layer, in, out);
    return;
  }
  for (int y = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++) {
      const float *const from = pixel(in, y * layer->step - layer->padding, x * layer->step - layer->padding);
      float *const to = pixel(out, y, x);
      for (int c = 0; c < out->stride; c += 4) {
        f4 sum = load4(layer->biases + c);
        const float *w = layer->weights + c;
        for (int i = 0; i < layer->kernel_height; i++)
          for (int j = 0; j < layer->kernel_width; j++, w += in->stride)
            MULTIPLY_ADD(sum, load4(from + i * row_length(in) + j * in->stride + c), load4(w));
        store4(to + c, activated(sum, layer, c));
      }
    }
}

// The largest value or the mean of each window of the input. A window may reach outside the picture; what is outside
// does not count.
static void pool(const Layer *layer, const Tensor *in, const Tensor *out, int mean) {
  for (int y = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++) {
      int top = y * layer->step - layer->padding, left = x * layer->step - layer->padding;
      int bottom = top + layer->kernel_height, right = left + layer->kernel_width;
      if (top < 0) top = 0;
      if (left < 0) left = 0;
      if (bottom > in->height) bottom = in->height;
      if (right > in->width) right = in->width;
      const f4 share = fill4(1.f / ((bottom - top) * (right - left)));
      for (int c = 0; c < in->stride; c += 4) {
        f4 sum = fill4(0), most = load4(pixel(in, top, left) + c);
        for (int i = top; i < bottom; i++)
          for (int j = left; j < right; j++) {
            const f4 v = load4(pixel(in, i, j) + c);
            sum += v, most = max4(most, v);
          }
        store4(pixel(out, y, x) + c, mean ? sum * share : most);
      }
    }
}

// Doubles height and width: each pixel becomes four.
static void enlarge(const Tensor *in, const Tensor *out) {
  for (int y = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++)
      for (int c = 0; c < out->stride; c += 4) store4(pixel(out, y, x) + c, load4(pixel(in, y / 2, x / 2) + c));
}

// The sum of two tensors. Where they differ in height, width or channels, the smaller one counts as filled with zeros
// at the bottom, at the right and in the channels, as dlib does.
static void add(const Layer *layer, const Tensor *a, const Tensor *b, const Tensor *out) {
  for (int y = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++)
      for (int c = 0; c < out->stride; c += 4) {
        f4 sum = fill4(0);
        if (y < a->height && x < a->width && c < a->stride) sum += load4(pixel(a, y, x) + c);
        if (y < b->height && x < b->width && c < b->stride) sum += load4(pixel(b, y, x) + c);
        store4(pixel(out, y, x) + c, activated(sum, layer, c));
      }
}

// The vector of all channels of each pixel, at length 1; a vector of zeros stays as it is.
static void normalise(const Tensor *in, const Tensor *out) {
  for (int y = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++) {
      const float *const from = pixel(in, y, x);
      float *const to = pixel(out, y, x);
      float squares = 0;
      for (int c = 0; c < in->channels; c++) squares += from[c] * from[c];
      const float scale = squares > 0 ? 1 / __builtin_sqrtf(squares) : 0;
      for (int c = 0; c < out->stride; c++) to[c] = from[c] * scale;
    }
}
