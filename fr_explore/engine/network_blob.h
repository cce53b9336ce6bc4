// Reads the description of a network and checks it: nothing in a blob is trusted. Each number is checked before it is
// used, so that a cut or changed blob gives a code, never a trap or a read outside the blob.
//
// The blob, in little-endian 32-bit numbers:
//     header      magic, version, layers, arrays, slots, results, height, width, channels, border of the picture
//     results     one slot each: which tensors are the results
//     layers      LAYER_NUMBERS each, in the order of `Layer`
//     arrays      ARRAY_NUMBERS each: type (0 float32, 1 float16, 2 int8), rows, values, offset in the blob
//     numbers     of the arrays; those of type int8 are preceded by one float32 for each row, its scale
// Weights are ordered as torch orders them: (output, input, row, column). A row of an array is one output channel.

#define MAGIC 0x54454e46  // "FNET"
#define VERSION 2
#define HEADER_NUMBERS 10
#define LAYER_NUMBERS 14
#define ARRAY_NUMBERS 4
#define NO_ARRAY -1

// limits far above every network for faces
#define MOST_LAYERS 512
#define MOST_SLOTS 64
#define MOST_ARRAYS 1536
#define MOST_RESULTS 16
#define MOST_CHANNELS 8192
#define LONGEST_SIDE 2048
#define MOST_FLOATS (1 << 26)  // of one tensor, or of one layer's weights: 256 MB
#define MOST_WORK 1e11         // multiplications in one run

enum Type { FLOAT32, FLOAT16, INT8, TYPES };

typedef struct { int type, rows, values, offset; } Array;

static struct {
  int layers, arrays, slots, results, ready;
  int failed;  // the layer that was refused, or -1
  const unsigned char *blob;
  int bytes;
  Tensor picture, result[MOST_RESULTS];
  float *input, *output[MOST_RESULTS];  // picture and results without border and without the zeros of the last group
  const float **from;                   // places of a convolution's pixels
  float **to, *scratch;                 // `scratch` of fast convolutions
} net = {.failed = -1};
static Layer layers[MOST_LAYERS];
static struct { Tensor first, second, out; } tensors[MOST_LAYERS];  // of each layer
static Array arrays[MOST_ARRAYS];

static int between(int x, int low, int high) { return low <= x && x <= high; }

// ---- numbers --------------------------------------------------------------------------------------------------------

static int number(int at) {  // the 32-bit number at a byte of the blob
  const unsigned char *p = net.blob + at;
  return (int)(p[0] | p[1] << 8 | p[2] << 16 | (unsigned)p[3] << 24);
}

static float real(int at) {
  union { int bits; float value; } word = {number(at)};
  return word.value;
}

// A 16-bit float. Its exponent is biased by 15 and a float32's by 127, so the shifted bits are 2^112 times too small;
// that also holds for numbers below 2^-14. Infinities become large numbers; the packer writes none.
static float half(int at) {
  const unsigned bits = net.blob[at] | net.blob[at + 1] << 8;
  union { unsigned bits; float value; } word = {(bits & 0x7fff) << 13};
  const float size = word.value * 0x1p112f;
  return bits & 0x8000 ? -size : size;
}

// Value i of an array, which is in one of its rows.
static float value(const Array *a, int i, int row) {
  if (a->type == FLOAT32) return real(a->offset + 4 * i);
  if (a->type == FLOAT16) return half(a->offset + 2 * i);
  return real(a->offset + 4 * row) * (signed char)net.blob[a->offset + 4 * a->rows + i];
}

static enum Code read_arrays(int at) {
  static const int width[TYPES] = {4, 2, 1};
  for (int i = 0; i < net.arrays; i++, at += 4 * ARRAY_NUMBERS) {
    Array *a = &arrays[i];
    *a = (Array){number(at), number(at + 4), number(at + 8), number(at + 12)};
    if (!between(a->type, 0, TYPES - 1) || a->rows < 1 || a->values < 1 || a->values % a->rows) return BAD_ARRAY;
    const long long bytes = (long long)width[a->type] * a->values + (a->type == INT8 ? 4ll * a->rows : 0);
    if (a->offset < 0 || a->offset + bytes > net.bytes) return BAD_ARRAY;
  }
  return FINE;
}

// The array of a layer, if it has as many values as the layer needs.
static const Array *array(int place, long long values, int rows) {
  if (!between(place, 0, net.arrays - 1)) return 0;
  const Array *a = &arrays[place];
  return a->values == values && (a->type != INT8 || a->rows == rows) ? a : 0;
}

// ---- shapes ---------------------------------------------------------------------------------------------------------

static long long floats_of(const Tensor *t) {
  return (long long)(t->height + 2 * t->border) * (t->width + 2 * t->border) * t->stride;
}

// How many windows there are in one direction. Of partial ones, the last one may end outside, if it begins inside.
static int windows(const Layer *l, int length, int kernel) {
  const int whole = (length + 2 * l->padding - kernel) / l->step + 1, most = (length + l->padding - 1) / l->step + 1;
  return l->operation == LARGEST_PARTIAL && whole < most && (length + 2 * l->padding - kernel) % l->step ? whole + 1 : whole;
}

// The shape of the output of a layer that moves a window over its input.
static enum Code slide(const Layer *l, const Tensor *in, Tensor *out) {
  const int kernel = l->kernel_height < l->kernel_width ? l->kernel_height : l->kernel_width;
  if (kernel < 1 || l->kernel_height > LONGEST_SIDE || l->kernel_width > LONGEST_SIDE) return BAD_LAYER;
  if (!between(l->step, 1, LONGEST_SIDE) || !between(l->padding, 0, LONGEST_SIDE)) return BAD_LAYER;
  const int down = in->height + 2 * l->padding - l->kernel_height;
  const int across = in->width + 2 * l->padding - l->kernel_width;
  if (down < 0 || across < 0) return BAD_SHAPE;
  // a convolution reads zeros from the border; a pool must have a pixel in each of its windows
  const int pools = l->operation >= LARGEST;
  if (pools ? 2 * l->padding > kernel : l->padding > in->border) return BAD_SHAPE;
  out->height = windows(l, in->height, l->kernel_height), out->width = windows(l, in->width, l->kernel_width);
  return FINE;
}

static int larger(int a, int b) { return a > b ? a : b; }

// The shape of a layer's output, if the layer can be applied to its inputs.
static enum Code shape(const Layer *l, const Tensor *a, const Tensor *b, Tensor *out) {
  *out = (Tensor){a->height, a->width, a->channels, 0, l->border, 0};
  const enum Code code = l->operation <= MEAN ? slide(l, a, out) : FINE;
  if (code) return code;
  if (l->operation == CONVOLUTION) out->channels = l->channels;
  if (l->operation == ENLARGE) out->height *= 2, out->width *= 2;
  if (l->operation == ADD) {
    out->height = larger(a->height, b->height), out->width = larger(a->width, b->width);
    out->channels = larger(a->channels, b->channels);
  }
  if (l->channels != out->channels || !between(l->channels, 1, MOST_CHANNELS)) return BAD_SHAPE;
  if (out->height > LONGEST_SIDE || out->width > LONGEST_SIDE) return BAD_SHAPE;
  // the picture is not stored in whole groups: only a convolution can read it
  if (l->operation != CONVOLUTION && (a->stride % GROUP || b->stride % GROUP)) return BAD_SHAPE;
  out->stride = (out->channels + GROUP - 1) / GROUP * GROUP;
  return floats_of(out) > MOST_FLOATS ? NO_MEMORY : FINE;
}

static double work(const Layer *l, const Tensor *in, const Tensor *out) {
  const double taps = l->operation <= MEAN ? l->kernel_height * l->kernel_width : 1;
  return taps * out->height * out->width * out->stride * (l->operation == CONVOLUTION ? in->stride : 1);
}

static enum Code check_layer(const Layer *l, const Tensor *now) {
  if (!between(l->operation, 0, OPERATIONS - 1) || !between(l->activation, NONE, SIGMOID)) return BAD_LAYER;
  if (l->activation && l->operation > DEPTHWISE && l->operation != ADD) return BAD_LAYER;
  if (!between(l->border, 0, LONGEST_SIDE)) return BAD_LAYER;
  if (!between(l->first, 0, net.slots - 1) || !between(l->second, 0, net.slots - 1)) return BAD_SLOT;
  if (!between(l->out, 0, net.slots - 1) || l->out == l->first || l->out == l->second) return BAD_SLOT;
  return now[l->first].stride && now[l->second].stride ? FINE : BAD_SLOT;
}

// Follows the tensors through the slots: the shapes of each layer's inputs and output, the size of each slot, the
// pixels of the largest tensor, and the scratch that fast convolutions need. Afterwards `now` has the tensor that each
// slot holds at the end.
static enum Code follow(Tensor *now, long long *sizes, int *pixels, long long *scratch) {
  double total = 0;
  for (int i = 0; i < net.layers; i++) {
    const Layer *l = &layers[i];
    net.failed = i;
    enum Code code = check_layer(l, now);
    if (code) return code;
    Tensor *a = &tensors[i].first, *b = &tensors[i].second, *out = &tensors[i].out;
    *a = now[l->first], *b = now[l->second];
    if ((code = shape(l, a, b, out))) return code;
    if ((total += work(l, a, out)) > MOST_WORK) return TOO_SLOW;
    now[l->out] = *out;
    if (floats_of(out) > sizes[l->out]) sizes[l->out] = floats_of(out);
    *pixels = larger(*pixels, out->height * out->width);
    if (is_fast(l, a, out) && scratch_of(a, out) > *scratch) *scratch = scratch_of(a, out);
  }
  net.failed = -1;
  return FINE;
}

// ---- weights --------------------------------------------------------------------------------------------------------

// The numbers of an array at the places where `convolve` and `convolve_depthwise` read them.
static enum Code expand(const Array *a, float *to, const Layer *layer, const Tensor *in) {
  const int taps = layer->kernel_height * layer->kernel_width, depthwise = layer->operation == DEPTHWISE;
  const int inputs = depthwise ? 1 : in->channels;
  for (int o = 0, i = 0; o < layer->channels; o++)
    for (int c = 0; c < inputs; c++)
      for (int tap = 0; tap < taps; tap++, i++) {
        const float x = value(a, i, o);
        if (!(x - x == 0)) return BAD_NUMBER;
        if (depthwise) to[tap * in->stride + o] = x;
        else to[((long)(o / GROUP * taps + tap) * in->stride + c) * GROUP + o % GROUP] = x;
      }
  return FINE;
}

// One number for each channel, zeros behind them; without an array, all are zero.
static enum Code expand_channels(int place, float **to, const Tensor *out) {
  if (!(*to = reserve(4ull * out->stride))) return NO_MEMORY;
  zero(*to, out->stride);
  if (place == NO_ARRAY) return FINE;
  const Array *a = array(place, out->channels, out->channels);
  if (!a) return BAD_ARRAY;
  for (int c = 0; c < out->channels; c++) {
    const float x = (*to)[c] = value(a, c, c);
    if (!(x - x == 0)) return BAD_NUMBER;
  }
  return FINE;
}

static enum Code read_weights(Layer *layer, const Tensor *in, const Tensor *out) {
  enum Code code = FINE;
  if (layer->activation == PRELU && layer->slope == NO_ARRAY) return BAD_ARRAY;
  if ((code = expand_channels(layer->slope, &layer->slopes, out))) return code;
  if (layer->operation > DEPTHWISE) return FINE;
  if ((code = expand_channels(layer->bias, &layer->biases, out))) return code;
  const int depthwise = layer->operation == DEPTHWISE;
  const long long taps = (long long)layer->kernel_height * layer->kernel_width;
  const Array *a = array(layer->weight, taps * layer->channels * (depthwise ? 1 : in->channels), layer->channels);
  if (!a) return BAD_ARRAY;
  const long long floats = taps * in->stride * (depthwise ? 1 : out->stride);
  if (floats > MOST_FLOATS || !(layer->weights = reserve(4 * floats))) return NO_MEMORY;
  zero(layer->weights, floats);
  if ((code = expand(a, layer->weights, layer, in)) || !is_fast(layer, in, out)) return code;
  float *const transformed = reserve(4ull * PLACES * in->stride * out->stride);
  if (!transformed) return NO_MEMORY;
  transform_weights(layer->weights, transformed, in->stride, out->stride);
  layer->weights = transformed;
  return FINE;
}

// ---- the whole blob -------------------------------------------------------------------------------------------------

static enum Code read_header(void) {
  if (net.bytes < 4 * HEADER_NUMBERS) return CUT;
  if (number(0) != MAGIC) return NOT_A_NETWORK;
  if (number(4) != VERSION) return OTHER_VERSION;
  net.layers = number(8), net.arrays = number(12), net.slots = number(16), net.results = number(20);
  if (!between(net.layers, 1, MOST_LAYERS) || !between(net.arrays, 0, MOST_ARRAYS)) return TOO_MANY;
  if (!between(net.slots, 2, MOST_SLOTS) || !between(net.results, 1, MOST_RESULTS)) return TOO_MANY;
  const int height = number(24), width = number(28), channels = number(32), border = number(36);
  if (!between(height, 1, LONGEST_SIDE) || !between(width, 1, LONGEST_SIDE)) return BAD_PICTURE;
  if (!between(channels, 1, 4) || !between(border, 0, LONGEST_SIDE)) return BAD_PICTURE;
  net.picture = (Tensor){height, width, channels, channels, border, 0};
  return floats_of(&net.picture) > MOST_FLOATS ? NO_MEMORY : FINE;
}

// Finds out which tensors there are, and reserves the memory of all slots and results.
static enum Code reserve_tensors(void) {
  static Tensor now[MOST_SLOTS];
  static long long sizes[MOST_SLOTS];
  long long scratch = 0;
  int pixels = 1;
  now[0] = net.picture, sizes[0] = floats_of(&net.picture);
  const enum Code code = follow(now, sizes, &pixels, &scratch);
  if (code) return code;
  for (int s = 0; s < net.slots; s++)
    if (sizes[s] && !(now[s].data = reserve(4 * sizes[s]))) return NO_MEMORY;
  net.picture.data = now[0].data;
  for (int i = 0; i < net.layers; i++) {
    tensors[i].first.data = now[layers[i].first].data, tensors[i].second.data = now[layers[i].second].data;
    tensors[i].out.data = now[layers[i].out].data;
  }
  for (int i = 0; i < net.results; i++) {
    const int slot = number(4 * (HEADER_NUMBERS + i));
    if (!between(slot, 0, net.slots - 1) || !now[slot].stride) return BAD_SLOT;
    const Tensor *t = &now[slot];
    net.result[i] = *t;
    if (!(net.output[i] = reserve(4ull * t->height * t->width * t->channels))) return NO_MEMORY;
  }
  net.input = reserve(4ull * net.picture.height * net.picture.width * net.picture.channels);
  net.from = reserve((pixels + PIXELS) * sizeof *net.from), net.to = reserve((pixels + PIXELS) * sizeof *net.to);
  net.scratch = reserve(4 * scratch);
  return net.input && net.from && net.to && net.scratch ? FINE : NO_MEMORY;
}

static enum Code read_blob(void) {
  enum Code code = read_header();
  if (code) return code;
  const int layers_at = 4 * (HEADER_NUMBERS + net.results), arrays_at = layers_at + 4 * LAYER_NUMBERS * net.layers;
  if (arrays_at + 4 * ARRAY_NUMBERS * net.arrays > net.bytes) return CUT;
  for (int i = 0; i < net.layers; i++)
    for (int j = 0; j < LAYER_NUMBERS; j++) ((int *)&layers[i])[j] = number(layers_at + 4 * (LAYER_NUMBERS * i + j));
  if ((code = read_arrays(arrays_at)) || (code = reserve_tensors())) return code;
  for (int i = 0; i < net.layers; i++) {
    net.failed = i;
    if ((code = read_weights(&layers[i], &tensors[i].first, &tensors[i].out))) return code;
  }
  net.failed = -1;
  return FINE;
}
