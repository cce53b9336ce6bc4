// Arithmetic with the same bits in every host. IEEE 754 and WebAssembly fix + - * / and the square root; everything
// else is computed from them here. The build forbids contraction (a * b + c in one rounding) and fast-math.
#pragma once
#include <wasm_simd128.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef float vec __attribute__((vector_size(16)));  // four numbers: a point, a colour, or four of anything
typedef int ivec __attribute__((vector_size(16)));

#define EXPORT(name) __attribute__((export_name(name)))
#define INLINE static inline __attribute__((always_inline))
#define PI 3.14159265358979323846

INLINE vec all(float x) { return (vec){x, x, x, x}; }
INLINE vec load(const void *from) { return (vec)wasm_v128_load(from); }
INLINE void store(void *to, vec x) { wasm_v128_store(to, (v128_t)x); }
INLINE vec smaller(vec a, vec b) { return (vec)wasm_f32x4_pmin((v128_t)a, (v128_t)b); }
INLINE vec larger(vec a, vec b) { return (vec)wasm_f32x4_pmax((v128_t)a, (v128_t)b); }
INLINE vec within(vec x, float low, float high) { return larger(smaller(x, all(high)), all(low)); }
INLINE vec choose(ivec where, vec yes, vec no) {
  return (vec)wasm_v128_bitselect((v128_t)yes, (v128_t)no, (v128_t)where);
}
INLINE vec ceiling(vec x) { return (vec)wasm_f32x4_ceil((v128_t)x); }
INLINE vec floor4(vec x) { return (vec)wasm_f32x4_floor((v128_t)x); }
INLINE vec nearest(vec x) { return (vec)wasm_f32x4_nearest((v128_t)x); }
INLINE vec root4(vec x) { return (vec)wasm_f32x4_sqrt((v128_t)x); }
INLINE ivec whole(vec x) { return (ivec)wasm_i32x4_trunc_sat_f32x4((v128_t)x); }  // not a number gives 0
// of an integer from -2^22 to 2^22 (the sum's last bit is 1); quicker than `whole`
INLINE ivec whole_small(vec x) { return (ivec)(x + 12582912.0f) - 0x4b400000; }
INLINE vec real(ivec x) { return (vec)wasm_f32x4_convert_i32x4((v128_t)x); }
INLINE float sum4(vec a) { return (a[0] + a[1]) + (a[2] + a[3]); }
INLINE float dot(vec a, vec b) { vec p = a * b; return p[0] + p[1] + p[2]; }

INLINE float least(float a, float b) { return a < b ? a : b; }
INLINE float most(float a, float b) { return a > b ? a : b; }
INLINE float clamp(float x, float low, float high) { return least(most(x, low), high); }
INLINE float magnitude(float x) { return __builtin_fabsf(x); }
INLINE float root(float x) { return __builtin_sqrtf(x); }

// exp, within two units of the last place: polynomial of Cephes' expf (Moshier 1989)
INLINE vec exp4(vec x) {
  x = within(x, -87.0f, 88.0f);
  vec k = nearest(x * 1.44269504f);
  vec r = x - k * 0.693359375f + k * 2.12194440e-4f;
  vec p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return (p * r * r + r + 1.0f) * (vec)((whole_small(k) + 127) << 23);
}

// log of positive normal numbers: polynomial of Cephes' logf
INLINE vec log4(vec x) {
  ivec bits = (ivec)x, exponent = (bits >> 23) - 126;
  vec m = (vec)((bits & 0x7fffff) | 0x3f000000);
  ivec low = m < 0.70710678f;
  vec e = real(exponent + low);
  m = m + (vec)((ivec)m & low) - 1.0f;
  vec z = m * m, p = all(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  return m + (p * m * z - 2.12194440e-4f * e - 0.5f * z) + 0.693359375f * e;
}

INLINE float exp1(float x) { return exp4(all(x))[0]; }
INLINE float log1(float x) { return log4(all(x))[0]; }
INLINE float sigmoid(float x) { return 1.0f / (1.0f + exp1(-x)); }
INLINE float power(float x, float y) { return x > 0 ? exp1(y * log1(x)) : 0; }

// sine: Taylor's series up to x^17 on [-pi/2, pi/2], exact to double precision there
static double sine(double x) {
  double k = __builtin_nearbyint(x / PI);
  x -= k * PI;
  double square = x * x, term = x, sum = x;
  for (int i = 1; i < 9; i++) {
    term *= -square / ((2 * i) * (2 * i + 1));
    sum += term;
  }
  return ((int)k & 1) ? -sum : sum;
}
static double cosine(double x) { return sine(x + PI / 2); }
INLINE double radians(double degrees) { return degrees * (PI / 180); }

// sin(2 pi x) of four numbers: Taylor's series up to x^11 on a quarter turn
INLINE vec sine_of_turns(vec x) {
  x = x - nearest(x);
  vec half = choose(x > 0.0f, all(0.5f), all(-0.5f));
  x = choose((x > 0.25f) | (x < -0.25f), half - x, x) * 6.2831853072f;
  vec s = x * x, p = all(-2.5052108e-8f);
  p = p * s + 2.7557319e-6f;
  p = p * s - 1.9841270e-4f;
  p = p * s + 8.3333333e-3f;
  p = p * s - 1.6666667e-1f;
  return p * s * x + x;
}

// angle of (x, y): polynomial of Cephes' atanf after reduction to [0, tan(pi/8)]
static float angle_of(float y, float x) {
  float ax = magnitude(x), ay = magnitude(y), high = most(ax, ay), low = least(ax, ay);
  float t = high > 0 ? low / high : 0, base = 0;
  if (t > 0.4142135624f) { base = 0.7853981634f; t = (t - 1) / (t + 1); }
  float z = t * t;
  float a = (((8.05374449538e-2f * z - 1.38776856032e-1f) * z + 1.99777106478e-1f) * z - 3.33329491539e-1f) * z * t;
  a += t + base;
  if (ay > ax) a = 1.5707963268f - a;
  if (x < 0) a = 3.1415926536f - a;
  return y < 0 ? -a : a;
}

// number stored in 16 bits (IEEE 754 binary16); infinities and NaN keep their nature
INLINE float from_half(u16 h) {
  u32 sign = (u32)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
  if (!exponent) {  // zero and subnormal numbers
    float tiny = (float)fraction * 5.9604644775390625e-8f;
    return sign ? -tiny : tiny;
  }
  union { u32 bits; float number; } out = {sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13};
  return out.number;
}
