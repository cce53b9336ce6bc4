// Memory, errors and blobs.
//
// Memory is one stack: first what stays (head and people), then the frame: the inbox, or the buffers of a picture. The
// frame is laid out again whenever another size or a new blob needs it, so nothing is ever freed piece by piece.
#pragma once
#include "math.h"

extern u8 __heap_base;
static u32 kept_end, frame_end;  // 0 before the first use

enum {
  FINE, NO_MEMORY, NO_HEAD, HEAD_TWICE, NOT_A_BLOB, BAD_SECTION, BAD_INDEX, BAD_NUMBER, OTHER_HEAD, NO_STYLE, BAD_SLOT,
  NO_PERSON, BAD_SIZE, BAD_PARAMETER, NO_PICTURE, BAD_ROWS, CODES
};
static const char *const WORDS[CODES + 1] = {
  "success",
  "there is not enough memory for it",
  "no head is attached: attach one first",
  "a head is attached already: call reset first",
  "this is not a blob of the expected kind and version, or a part of it is missing",
  "the blob lacks a section, or the section has another type or length",
  "an index in the blob is out of range",
  "a number in the blob is not finite or is too large",
  "the person was packed for another head",
  "the head was packed without this person's hair style or skin",
  "there is no such slot",
  "no person is attached to this slot: attach one first",
  "the side of a picture must be from 32 to 2048 pixels",
  "a parameter is not finite or is out of range",
  "no picture is open: call picture first",
  "rows must be from 0 to the side of the picture, and the first one before the last one",
  "unknown code",
};
static char about[32];  // what the last error is about

static int failure(int code, const char *subject) {
  int i = 0;
  for (; i < 31 && subject[i] && subject[i] != ' '; i++) about[i] = subject[i];
  about[i] = 0;
  return code;
}
#define TRY(call) do { int code_ = (call); if (code_) return code_; } while (0)

EXPORT("words") const char *words(u32 code) { return WORDS[code < CODES ? code : CODES]; }
EXPORT("subject") const char *subject(void) { return about; }

// Take memory from the end of the stack; 64 bytes more than asked, so that reading four numbers at the end is safe.
static void *take(u32 *end, u64 bytes) {
  u64 start = ((u64)*end + 63) & ~63ull, stop = start + bytes + 64;
  u64 have = (u64)__builtin_wasm_memory_size(0) << 16;
  if (stop >= 0xffff0000ull) return 0;
  if (stop > have && __builtin_wasm_memory_grow(0, (stop - have + 65535) >> 16) == (unsigned long)-1) return 0;
  *end = (u32)stop;
  return (void *)(u32)start;
}
static void *keep(u64 bytes) {
  if (!kept_end) kept_end = (u32)&__heap_base;
  return take(&kept_end, bytes);
}
static void *frame(u64 bytes) { return take(&frame_end, bytes); }

// ---- blobs: a header, a table of sections, and the sections' data at multiples of 16 bytes, all little-endian

typedef enum { U8, I8, U16, I16, I32, F16, F32 } Kind;
typedef struct { char magic[4], what[4]; u32 version, length, sections, spare[3]; } Blob;
typedef struct { char name[16]; u32 kind, count, offset, spare; } Section;
static const u32 BYTES[] = {1, 1, 2, 2, 4, 2, 4};
enum { VERSION = 2 };
static const float LARGEST = 1000;  // of any number in a blob, so that nothing computed from them can overflow

static int same(const char *a, const char *b, int n) {
  for (int i = 0; i < n; i++) {
    if (a[i] != b[i]) return 0;
    if (!a[i]) return 1;
  }
  return 1;
}

static int check_blob(const Blob *blob, u32 bytes, const char *what) {
  if (bytes < sizeof(Blob) || !same(blob->magic, "FREX", 4) || !same(blob->what, what, 4) || blob->version != VERSION)
    return failure(NOT_A_BLOB, what);
  if (blob->length != bytes || blob->sections > 4096 || sizeof(Blob) + blob->sections * sizeof(Section) > bytes)
    return failure(NOT_A_BLOB, what);
  const Section *table = (const Section *)(blob + 1);
  u32 free = sizeof(Blob) + blob->sections * sizeof(Section);
  for (u32 i = 0; i < blob->sections; i++) {  // one behind the other, so that what is decoded in place changes no other
    const Section *s = table + i;
    if (s->kind > F32 || s->offset % 16 || s->offset < free || s->offset > bytes) return failure(NOT_A_BLOB, what);
    if ((u64)s->count * BYTES[s->kind] > bytes - s->offset) return failure(NOT_A_BLOB, what);
    free = s->offset + s->count * BYTES[s->kind];
  }
  return FINE;
}

static const Section *find(const Blob *blob, const char *name) {  // 0 if there is none
  const Section *s = (const Section *)(blob + 1), *end = s + blob->sections;
  while (s < end && !same(s->name, name, 16)) s++;
  return s < end ? s : 0;
}

// Find a section of `count` numbers; any number of them if `count` is negative.
static int section(const Blob *blob, const char *name, Kind kind, int count, const void **data, u32 *found) {
  const Section *s = find(blob, name);
  if (!s || s->kind != (u32)kind || (count >= 0 && s->count != (u32)count)) return failure(BAD_SECTION, name);
  *data = (const u8 *)blob + s->offset;
  if (found) *found = s->count;
  for (u32 i = 0; i < s->count && (kind == F32 || kind == F16); i++) {
    float x = kind == F32 ? ((const float *)*data)[i] : from_half(((const u16 *)*data)[i]);
    if (!(magnitude(x) <= LARGEST)) return failure(BAD_NUMBER, name);
  }
  return FINE;
}
#define SECTION(name, kind, count, to) TRY(section(blob, name, kind, count, (const void **)&(to), 0))

static int check_below(const u16 *index, u32 count, u32 limit, const char *name) {
  for (u32 i = 0; i < count; i++) if (index[i] >= limit) return failure(BAD_INDEX, name);
  return FINE;
}

// Textures are stored channel by channel, each row as the difference to the row above, which compresses well. Undo this
// where they lie; a blob is undone once, when it is attached.
static void undo_differences(u8 *texture, u32 channels, u32 rows, u32 columns) {
  for (u32 c = 0; c < channels; c++, texture += rows * columns)
    for (u32 i = columns; i < rows * columns; i++) texture[i] = (u8)(texture[i] + texture[i - columns]);
}
