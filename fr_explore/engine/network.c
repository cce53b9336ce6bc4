// A network's forward pass, for the page: from an aligned, normalised picture to its embedding.
//
// What this is. `network_layers.h` and `network_fast.h` have the arithmetic of a few kinds of layers, `network_blob.h`
// reads and checks the description of a network, a blob of bytes that `network.py` packs, and this file applies its
// layers one after the other. So any network made of these layers runs without new C: dlib's, the controlled ones, and
// small detectors. In Python the networks remain torch's; tests hold the two together.
//
// How it is used. A WebAssembly instance holds one network. It imports nothing and knows nothing of its host. As with
// the renderer, calls that take memory (`inbox`, `load`) may move it: create views afterwards.
//
//     inbox(bytes) -> address         where the host writes the blob; 0 if there is no memory
//     load(bytes) -> code             checks the blob, expands its weights, reserves memory for all tensors; once
//     input() -> address              height x width x 3 float32, normalised as the model's card says
//     input_size(axis) -> number      axis 0: height, 1: width, 2: channels
//     run() -> code                   applies the layers
//     output(i) -> address            result i: float32, height x width x channels
//     output_size(i, axis) -> number
//     words(code) -> address          the words for a code, ended by a zero byte
//     subject() -> number             the layer that `load` refused, or -1
//
// The description is a program for a machine with a few slots. Each slot holds one tensor; a layer reads one or two
// slots and writes another one. Slot 0 first holds the picture. Slots are reused as soon as their tensor has been read
// for the last time, which keeps a network's tensors in the processor's cache.
//
// Numbers. Weights may be stored as float32, float16 or int8; `load` expands them, and all arithmetic is in float32.
// Sums run in one order that does not depend on the processor. The second build, with relaxed SIMD, rounds once per
// multiplication and addition where the processor can: it is faster, and differs in the last bits.
//
// Speed. Nearly all time goes into convolutions. `accumulate` keeps the sums of four pixels by eight channels in
// registers, so that each weight that it loads serves four pixels and each number of the picture eight channels. Where
// a kernel is 3 x 3, `network_fast.h` needs less than half as many multiplications.

enum Code {
  FINE, NOT_A_NETWORK, OTHER_VERSION, CUT, TOO_MANY, BAD_PICTURE, BAD_LAYER, BAD_SLOT, BAD_SHAPE, BAD_ARRAY,
  BAD_NUMBER, NO_MEMORY, TOO_SLOW, NOT_LOADED, LOADED_BEFORE, NOT_FINITE, CODES
};

static const char *const WORDS[CODES] = {
  [FINE] = "success",
  [NOT_A_NETWORK] = "these bytes are not a packed network",
  [OTHER_VERSION] = "the network was packed by another version of fr_explore: pack it again",
  [CUT] = "the packed network is cut short: copy it again",
  [TOO_MANY] = "the packed network has too many or too few layers, arrays, slots or results",
  [BAD_PICTURE] = "the network asks for a picture of a size or with channels that are not supported",
  [BAD_LAYER] = "a layer has an unknown operation or activation, or a number out of range",
  [BAD_SLOT] = "a layer or a result uses a slot that does not exist or is empty, or writes the slot that it reads",
  [BAD_SHAPE] = "a layer does not fit the shape of its input",
  [BAD_ARRAY] = "a layer's weights are missing, outside the packed network, or not as many as it needs",
  [BAD_NUMBER] = "a weight is not finite",
  [NO_MEMORY] = "there is not enough memory for the network",
  [TOO_SLOW] = "the network needs more multiplications than any network for faces",
  [NOT_LOADED] = "no network is loaded",
  [LOADED_BEFORE] = "this instance already holds a network, or refused one: create a new instance",
  [NOT_FINITE] = "the network's result is not finite: its weights or its input are unsuitable",
};

static void *reserve(unsigned long long bytes);

#include "network_layers.h"
#include "network_fast.h"
#include "network_blob.h"

#define EXPORT(name) __attribute__((export_name(#name))) name
#define PAGE 65536ull        // WebAssembly's memory grows in pages of so many bytes
#define END 0xffff0000ull    // of the memory that 32-bit addresses reach

extern unsigned char __heap_base;  // the linker's: where free memory begins

// Memory that is never returned; 0 if there is none left.
static void *reserve(unsigned long long bytes) {
  static unsigned long long used;
  if (!used) used = (unsigned long)&__heap_base;
  const unsigned long long start = (used + 15) & ~15ull, end = start + bytes;
  const unsigned long long have = __builtin_wasm_memory_size(0) * PAGE;
  if (bytes > END || end > END) return 0;
  const unsigned long pages = end > have ? (end - have + PAGE - 1) / PAGE : 0;
  if (pages && __builtin_wasm_memory_grow(0, pages) == (unsigned long)-1) return 0;
  used = end;
  return (void *)(unsigned long)start;
}

static void clear_border(const Tensor *t) {
  const int row = row_length(t), side = t->border * t->stride;
  if (!t->border) return;
  zero(t->data, (long)t->border * row + side);
  for (int y = 0; y < t->height - 1; y++) zero(pixel(t, y, t->width), 2 * side);
  zero(pixel(t, t->height - 1, t->width), (long)t->border * row + side);
}

static void apply(const Layer *l, const Tensor *a, const Tensor *b, const Tensor *out) {
  clear_border(out);
  switch (l->operation) {
    case CONVOLUTION:
      if (is_fast(l, a, out)) convolve_fast(l, a, out, net.scratch);
      else convolve(l, a, out, net.from, net.to);
      break;
    case DEPTHWISE: convolve_depthwise(l, a, out); break;
    case LARGEST: case LARGEST_PARTIAL: pool(l, a, out, 0); break;
    case MEAN: pool(l, a, out, 1); break;
    case ENLARGE: enlarge(a, out); break;
    case ADD: add(l, a, b, out); break;
    case NORMALISE: normalise(a, out); break;
  }
  if (l->activation == SIGMOID) sigmoid(out);
}

// Copies numbers without border, fill and gaps into a tensor, or out of it.
static void copy(const Tensor *t, float *dense, int into) {
  for (int y = 0; y < t->height; y++)
    for (int x = 0; x < t->width; x++)
      for (int c = 0; c < t->channels; c++, dense++)
        if (into) pixel(t, y, x)[c] = *dense;
        else *dense = pixel(t, y, x)[c];
}

static int size_of(const Tensor *t, int axis) { return axis == 0 ? t->height : axis == 1 ? t->width : t->channels; }
static int has_result(int i) { return net.ready && between(i, 0, net.results - 1); }

// ---- the exports ----------------------------------------------------------------------------------------------------

void *EXPORT(inbox)(int bytes) {
  if (net.blob || bytes < 1) return 0;
  net.bytes = bytes;
  return (void *)(net.blob = reserve(bytes));
}

int EXPORT(load)(int bytes) {
  static int tried;
  if (tried++) return LOADED_BEFORE;
  if (!net.blob || bytes != net.bytes) return CUT;
  const enum Code code = read_blob();
  net.ready = !code;
  return code;
}

float *EXPORT(input)(void) { return net.ready ? net.input : 0; }
int EXPORT(input_size)(int axis) { return net.ready ? size_of(&net.picture, axis) : 0; }
float *EXPORT(output)(int i) { return has_result(i) ? net.output[i] : 0; }
int EXPORT(output_size)(int i, int axis) { return has_result(i) ? size_of(&net.result[i], axis) : 0; }
const char *EXPORT(words)(int code) { return between(code, 0, CODES - 1) ? WORDS[code] : "unknown code"; }
int EXPORT(subject)(void) { return net.failed; }

int EXPORT(run)(void) {
  if (!net.ready) return NOT_LOADED;
  clear_border(&net.picture);
  copy(&net.picture, net.input, 1);
  for (int i = 0; i < net.layers; i++) apply(&layers[i], &tensors[i].first, &tensors[i].second, &tensors[i].out);
  for (int i = 0; i < net.results; i++) {
    const Tensor *t = &net.result[i];
    copy(t, net.output[i], 0);
    for (int k = 0; k < t->height * t->width * t->channels; k++)
      if (!(net.output[i][k] - net.output[i][k] == 0)) return NOT_FINITE;
  }
  return FINE;
}
