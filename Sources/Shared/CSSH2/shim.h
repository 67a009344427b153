#pragma once
#include <errno.h>
#include <libssh2.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Why nothing more is taken from a peer. */
enum blockfarm_ssh2_refusal {
  BLOCKFARM_SSH2_WELCOME = 0,
  /* The socket was shut down on our side. */
  BLOCKFARM_SSH2_SHUT_DOWN,
  /* Text without end where the line with the protocol's version should be. */
  BLOCKFARM_SSH2_NO_VERSION,
  BLOCKFARM_SSH2_TOO_MUCH_RECEIVED,
  BLOCKFARM_SSH2_TOO_MUCH_MEMORY,
};

/* What a peer can make one session do, in bytes, time and memory. libssh2 reads for as long as something comes, and
   keeps every packet that nobody has asked for; but it gets bytes and memory from here alone. libssh2 reaches this
   through the session's abstract pointer. */
struct blockfarm_ssh2_flow {
  /* Bytes taken from the socket since the session began, and how many it may be. */
  uint64_t received, received_limit;
  /* What is left of this turn of the event loop; the end in nanoseconds of the monotonic clock. */
  uint32_t bytes_left, reads_left;
  uint64_t turn_end;
  /* A read was refused because the turn's share is used up: there may be more to read. */
  int is_spent;
  enum blockfarm_ssh2_refusal refusal;
  /* What libssh2 holds: bytes, and the number of pieces. */
  size_t memory_held, memory_limit, pieces_held, pieces_limit;
  /* The first bytes that came; both 0 when nobody wants them any more. */
  unsigned char *opening;
  size_t opening_length, opening_capacity;
};

/* How much may come before the line with the protocol's version ends (RFC 4253 section 4.2 allows other lines first). */
enum { blockfarm_ssh2_version_limit = 8192 };

static inline uint64_t blockfarm_ssh2_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline ssize_t blockfarm_ssh2_refuse(struct blockfarm_ssh2_flow *flow, enum blockfarm_ssh2_refusal reason) {
  if (!flow->refusal) flow->refusal = reason;
  return -ECONNABORTED;
}

/* recv for libssh2: returns -errno as it wants, keeps to the bounds, and asks for immediate acknowledgements while
   messages are small. Without that each turn of a handshake waits for the peer's delayed-ack timer. */
static inline ssize_t blockfarm_ssh2_receive(
    libssh2_socket_t socket, void *buffer, size_t length, int flags, void **abstract) {
  struct blockfarm_ssh2_flow *flow = *abstract;
  /* Linux still hands out what comes in after shutdown(2): freeing a session would read on for as long as it comes. */
  if (flow->refusal) return -ECONNABORTED;
  /* libssh2 reads the first lines byte by byte, and nothing else. */
  if (length == 1 && flow->received >= blockfarm_ssh2_version_limit)
    return blockfarm_ssh2_refuse(flow, BLOCKFARM_SSH2_NO_VERSION);
  if (flow->received >= flow->received_limit) return blockfarm_ssh2_refuse(flow, BLOCKFARM_SSH2_TOO_MUCH_RECEIVED);
  if (!flow->bytes_left || !flow->reads_left || blockfarm_ssh2_now() >= flow->turn_end) {
    flow->is_spent = 1;
    return -EAGAIN;
  }
  if (length > flow->bytes_left) length = flow->bytes_left;
  /* libssh2 may walk through all that it holds for each packet of a read. */
  if (flow->pieces_held > 8192 && length > 1024) length = 1024;
  int on = 1;
  int quick = length < 65536 || flow->received < 65536;
  if (quick) setsockopt(socket, SOL_TCP, TCP_QUICKACK, &on, sizeof on);
  ssize_t count = recv(socket, buffer, length, flags);
  if (count < 0) return errno == EINTR ? -EAGAIN : -errno;
  if (quick) setsockopt(socket, SOL_TCP, TCP_QUICKACK, &on, sizeof on);
  size_t room = flow->opening_capacity - flow->opening_length;
  size_t kept = (size_t)count < room ? (size_t)count : room;
  if (kept) memcpy(flow->opening + flow->opening_length, buffer, kept);
  flow->opening_length += kept;
  flow->received += (uint64_t)count;
  flow->bytes_left -= (uint32_t)count;
  flow->reads_left--;
  return count;
}

/* Every piece of memory that libssh2 holds begins with its size. */
union blockfarm_ssh2_piece {
  size_t size;
  max_align_t aligned;
};

static inline int blockfarm_ssh2_has_room(struct blockfarm_ssh2_flow *flow, size_t size) {
  if (size <= flow->memory_limit && flow->memory_held <= flow->memory_limit - size && flow->pieces_held < flow->pieces_limit)
    return 1;
  blockfarm_ssh2_refuse(flow, BLOCKFARM_SSH2_TOO_MUCH_MEMORY);
  return 0;
}

static inline void *blockfarm_ssh2_allocate(size_t size, void **abstract) {
  struct blockfarm_ssh2_flow *flow = *abstract;
  if (!blockfarm_ssh2_has_room(flow, size)) return NULL;
  union blockfarm_ssh2_piece *piece = malloc(sizeof *piece + size);
  if (!piece) return NULL;
  piece->size = size;
  flow->memory_held += size;
  flow->pieces_held++;
  return piece + 1;
}

static inline void blockfarm_ssh2_free(void *memory, void **abstract) {
  struct blockfarm_ssh2_flow *flow = *abstract;
  if (!memory) return;
  union blockfarm_ssh2_piece *piece = (union blockfarm_ssh2_piece *)memory - 1;
  flow->memory_held -= piece->size;
  flow->pieces_held--;
  free(piece);
}

static inline void *blockfarm_ssh2_reallocate(void *memory, size_t size, void **abstract) {
  struct blockfarm_ssh2_flow *flow = *abstract;
  if (!memory) return blockfarm_ssh2_allocate(size, abstract);
  union blockfarm_ssh2_piece *piece = (union blockfarm_ssh2_piece *)memory - 1;
  size_t old = piece->size;
  if (size > old && !blockfarm_ssh2_has_room(flow, size - old)) return NULL;
  piece = realloc(piece, sizeof *piece + size);
  if (!piece) return NULL;
  piece->size = size;
  flow->memory_held = flow->memory_held - old + size;
  return piece + 1;
}

static inline LIBSSH2_SESSION *blockfarm_ssh2_session(struct blockfarm_ssh2_flow *flow) {
  LIBSSH2_SESSION *session =
      libssh2_session_init_ex(blockfarm_ssh2_allocate, blockfarm_ssh2_free, blockfarm_ssh2_reallocate, flow);
  if (session) libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)blockfarm_ssh2_receive);
  return session;
}

/* Memory that libssh2 is to free. */
static inline void *blockfarm_ssh2_memory(LIBSSH2_SESSION *session, size_t size) {
  return blockfarm_ssh2_allocate(size, libssh2_session_abstract(session));
}
