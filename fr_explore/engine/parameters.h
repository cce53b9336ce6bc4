// The parameters: name, range, neutral value, and what a change of it makes necessary. The names, units and ranges are
// those of `fr_explore/attributes.py`; a test holds them together.
#pragma once
#include "memory.h"

typedef enum { SHAPE, COLOR, IMAGE } Effect;  // all, only shading, only the image attributes

#define PARAMETERS(P)                   \
  P(head_angle, -30, 30, 0, SHAPE)      \
  P(age, 18, 75, 35, SHAPE)             \
  P(hair_color, -1, 1, 0, COLOR)        \
  P(illumination, -70, 70, 0, COLOR)    \
  P(expression, 0, 1, 0, SHAPE)         \
  P(head_pitch, -20, 20, 0, SHAPE)      \
  P(mouth_open, 0, 1, 0, SHAPE)         \
  P(skin_tone, -1, 1, 0, COLOR)         \
  P(glasses, 0, 1, 0, SHAPE)            \
  P(light_strength, 0.4, 1.6, 1, COLOR) \
  P(facial_hair, -1, 1, 0, COLOR)       \
  P(makeup, 0, 1, 0, COLOR)             \
  P(background, -1, 1, 0, COLOR)        \
  P(blur, 0, 3, 0, IMAGE)               \
  P(hue, -45, 45, 0, IMAGE)             \
  P(saturation, 0, 2, 1, IMAGE)         \
  P(contrast, 0.5, 1.5, 1, IMAGE)       \
  P(brightness, 0.5, 1.5, 1, IMAGE)     \
  P(noise, 0, 0.15, 0, IMAGE)

#define AS_FIELD(name, low, high, neutral, effect) float name;
#define AS_NEUTRAL(name, low, high, neutral, effect) neutral,
#define AS_RULE(name, low, high, neutral, effect) {#name, low, high, effect},
#define AS_TEXT(name, low, high, neutral, effect) #name " " #low " " #high " " #neutral "\n"

typedef struct { PARAMETERS(AS_FIELD) } Values;
typedef struct { const char *name; float low, high; Effect effect; } Rule;
static const Rule RULES[] = {PARAMETERS(AS_RULE)};
enum { COUNT = sizeof(RULES) / sizeof(Rule) };

static Values given = {PARAMETERS(AS_NEUTRAL)};  // what the host set
static Values now;                               // what the picture in progress is drawn with

EXPORT("parameters") const char *parameters(void) { return PARAMETERS(AS_TEXT); }
EXPORT("values") Values *values(void) { return &given; }

static int check_values(int image_only) {
  const float *x = (const float *)&given;
  for (int i = 0; i < COUNT; i++)
    if ((!image_only || RULES[i].effect == IMAGE) && !(x[i] >= RULES[i].low && x[i] <= RULES[i].high))
      return failure(BAD_PARAMETER, RULES[i].name);
  return FINE;
}

// Whether a parameter of this effect differs between two sets.
static int differ(const Values *a, const Values *b, Effect effect) {
  for (int i = 0; i < COUNT; i++)
    if (RULES[i].effect == effect && ((const float *)a)[i] != ((const float *)b)[i]) return 1;
  return 0;
}
