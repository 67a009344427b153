/* The least that making a block of these packages can cost: decompresses every data archive, hashes every package and every decompressed byte, and
 * throws all of it away. One process, all cores, the libraries that blockfarm uses (liblzma, libzstd, libdeflate) and libcrypto's SHA-256.
 *
 *   gcc -O2 -o block-floor block-floor.c -llzma -lzstd -ldeflate -lcrypto -lpthread
 *   block-floor PACKAGE.ipk...        prints the number of decompressed bytes
 */
#include <fcntl.h>
#include <libdeflate.h>
#include <lzma.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static char **files;
static int count;
static atomic_int upcoming;
static atomic_long decompressed;

static void fail(const char *path, const char *reason) {
  fprintf(stderr, "block-floor: %s: %s\n", path, reason);
  exit(1);
}

static void digest(const void *bytes, size_t size) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length;
  EVP_Digest(bytes, size, out, &length, EVP_sha256(), NULL);
}

struct lane {
  EVP_MD_CTX *hash;
  ZSTD_DCtx *zstd;
  struct libdeflate_decompressor *deflate;
  unsigned char *buffer;
  size_t capacity;
};

static void take(struct lane *lane, const void *bytes, size_t size) {
  EVP_DigestUpdate(lane->hash, bytes, size);
  atomic_fetch_add(&decompressed, (long)size);
}

static void xz(struct lane *lane, const char *path, const unsigned char *data, size_t size) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, UINT64_MAX, 0) != LZMA_OK) fail(path, "no decoder");
  stream.next_in = data;
  stream.avail_in = size;
  lzma_ret result;
  do {
    stream.next_out = lane->buffer;
    stream.avail_out = 1 << 18;
    result = lzma_code(&stream, LZMA_FINISH);
    take(lane, lane->buffer, (1 << 18) - stream.avail_out);
  } while (result == LZMA_OK);
  if (result != LZMA_STREAM_END) fail(path, "broken xz");
  lzma_end(&stream);
}

static void zst(struct lane *lane, const char *path, const unsigned char *data, size_t size) {
  ZSTD_inBuffer in = {data, size, 0};
  size_t left = 1;
  while (in.pos < in.size || left > 0) {
    ZSTD_outBuffer out = {lane->buffer, 1 << 18, 0};
    left = ZSTD_decompressStream(lane->zstd, &out, &in);
    if (ZSTD_isError(left)) fail(path, "broken zstd");
    take(lane, lane->buffer, out.pos);
  }
}

static void gz(struct lane *lane, const char *path, const unsigned char *data, size_t size) {
  size_t whole = data[size - 4] | data[size - 3] << 8 | data[size - 2] << 16 | (size_t)data[size - 1] << 24, actual;
  if (whole > lane->capacity) {
    lane->buffer = realloc(lane->buffer, whole);
    lane->capacity = whole;
  }
  if (libdeflate_gzip_decompress(lane->deflate, data, size, lane->buffer, lane->capacity, &actual) != LIBDEFLATE_SUCCESS) fail(path, "broken gzip");
  take(lane, lane->buffer, actual);
}

static void package(struct lane *lane, const char *path) {
  int descriptor = open(path, O_RDONLY);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status)) fail(path, "cannot be opened");
  unsigned char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
  if (bytes == MAP_FAILED) fail(path, "cannot be mapped");
  digest(bytes, (size_t)status.st_size);
  for (size_t at = 8; at + 60 <= (size_t)status.st_size;) {
    size_t size = strtoul((char *)bytes + at + 48, NULL, 10);
    const unsigned char *data = bytes + at + 60;
    if (!memcmp(bytes + at, "data.tar.gz ", 12)) gz(lane, path, data, size);
    if (!memcmp(bytes + at, "data.tar.xz ", 12)) xz(lane, path, data, size);
    if (!memcmp(bytes + at, "data.tar.zst", 12)) zst(lane, path, data, size);
    at += 60 + size + size % 2;
  }
  munmap(bytes, (size_t)status.st_size);
  close(descriptor);
}

static void *work(void *unused) {
  (void)unused;
  struct lane lane = {EVP_MD_CTX_new(), ZSTD_createDCtx(), libdeflate_alloc_decompressor(), malloc(1 << 24), 1 << 24};
  EVP_DigestInit_ex(lane.hash, EVP_sha256(), NULL);
  for (int next; (next = atomic_fetch_add(&upcoming, 1)) < count;) package(&lane, files[next]);
  return NULL;
}

static int larger_first(const void *a, const void *b) {
  struct stat one, other;
  if (stat(*(char **)a, &one) || stat(*(char **)b, &other)) exit(1);
  return (one.st_size < other.st_size) - (one.st_size > other.st_size);
}

int main(int argc, char **argv) {
  files = argv + 1;
  count = argc - 1;
  qsort(files, (size_t)count, sizeof *files, larger_first);
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  pthread_t threads[256];
  if (cores > 256) cores = 256;
  for (long index = 0; index < cores; index++) pthread_create(&threads[index], NULL, work, NULL);
  for (long index = 0; index < cores; index++) pthread_join(threads[index], NULL);
  printf("%ld\n", decompressed);
  return 0;
}
