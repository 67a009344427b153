#pragma once
#include <ext2fs/ext2fs.h>
#include <et/com_err.h>
#include <sys/types.h>

/* A mutable global in C, which Swift's concurrency checks do not let one name. */
static inline io_manager ext2fs_unix_io(void) { return unix_io_manager; }

/* For sparse files; glibc shows them only with _GNU_SOURCE, which cannot be set for a module that others have already imported. */
extern int fallocate64(int file, int mode, __off64_t offset, __off64_t length);
extern ssize_t copy_file_range(int from, __off64_t *from_offset, int to, __off64_t *to_offset, size_t length, unsigned int flags);
enum {
  sparse_keep_size = 1,  /* FALLOC_FL_KEEP_SIZE */
  sparse_punch_hole = 2, /* FALLOC_FL_PUNCH_HOLE */
  sparse_seek_data = 3,  /* SEEK_DATA */
  sparse_seek_hole = 4,  /* SEEK_HOLE */
};
