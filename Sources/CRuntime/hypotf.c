// FoundationEssentials asks for `hypotf` of glibc 2.35, where it was given a new version; Amazon Linux 2023 has 2.34.
// One definition in the program keeps the needed version there. Exact enough: the product of two floats fits a double.
#include <math.h>

float hypotf(float x, float y) {
    if (isinf(x) || isinf(y)) return INFINITY;
    return (float)sqrt((double)x * x + (double)y * y);
}
