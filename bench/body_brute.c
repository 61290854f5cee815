/* The baseline of bench/body.ts: exact nearest triangle by trying every one, in float, one thread.
 * Reads point count, triangle count, points [n][3] and triangles [m][3][3] (float32) from stdin; prints seconds
 * and a sum of squared distances, so that nothing is optimised away. Ericson 2004, section 5.1.5. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static float dot(const float *a, const float *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static float distance2(const float *p, const float *t) {
  float ab[3], ac[3], ap[3], bp[3], cp[3];
  for (int k = 0; k < 3; k++) {
    ab[k] = t[3 + k] - t[k];
    ac[k] = t[6 + k] - t[k];
    ap[k] = p[k] - t[k];
    bp[k] = p[k] - t[3 + k];
    cp[k] = p[k] - t[6 + k];
  }
  float d1 = dot(ab, ap), d2 = dot(ac, ap);
  if (d1 <= 0 && d2 <= 0) return dot(ap, ap);
  float d3 = dot(ab, bp), d4 = dot(ac, bp);
  if (d3 >= 0 && d4 <= d3) return dot(bp, bp);
  float vc = d1 * d4 - d3 * d2, s, u, q[3];
  if (vc <= 0 && d1 >= 0 && d3 <= 0) {
    s = d1 / (d1 - d3);
    for (int k = 0; k < 3; k++) q[k] = ap[k] - s * ab[k];
    return dot(q, q);
  }
  float d5 = dot(ab, cp), d6 = dot(ac, cp);
  if (d6 >= 0 && d5 <= d6) return dot(cp, cp);
  float vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) {
    s = d2 / (d2 - d6);
    for (int k = 0; k < 3; k++) q[k] = ap[k] - s * ac[k];
    return dot(q, q);
  }
  float va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    s = (d4 - d3) / (d4 - d3 + d5 - d6);
    for (int k = 0; k < 3; k++) q[k] = bp[k] - s * (ac[k] - ab[k]);
    return dot(q, q);
  }
  s = vb / (va + vb + vc);
  u = vc / (va + vb + vc);
  for (int k = 0; k < 3; k++) q[k] = ap[k] - s * ab[k] - u * ac[k];
  return dot(q, q);
}

static float *floats(size_t count) {
  float *data = malloc(count * sizeof(float));
  if (data == NULL || fread(data, sizeof(float), count, stdin) != count) exit(1);
  return data;
}

int main(void) {
  int counts[2];
  if (fread(counts, sizeof(int), 2, stdin) != 2) return 1;
  float *points = floats(3 * (size_t)counts[0]), *triangles = floats(9 * (size_t)counts[1]);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  double sum = 0;
  for (int i = 0; i < counts[0]; i++) {
    float least = 1e30f;
    for (int f = 0; f < counts[1]; f++) {
      float d = distance2(points + 3 * i, triangles + 9 * f);
      if (d < least) least = d;
    }
    sum += least;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.9f %.6f\n", (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) * 1e-9, sum);
  return 0;
}
