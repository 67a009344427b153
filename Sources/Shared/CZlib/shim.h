#pragma once
#include <zlib.h>

/* zlib.h has these as macros over functions that take the size of z_stream. */
static inline int zlib_inflate_init(z_streamp stream, int window_bits) { return inflateInit2(stream, window_bits); }
static inline int zlib_deflate_init_raw(z_streamp stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
}
static inline int zlib_deflate_init_gzip(z_streamp stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
}
