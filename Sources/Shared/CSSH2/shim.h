#pragma once
#include <errno.h>
#include <libssh2.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a session's receive function keeps; libssh2 reaches it through the session's abstract pointer. */
struct blockfarm_ssh2_counter {
  /* Bytes taken from the socket since the session began. */
  uint64_t received;
};

/* recv for libssh2: returns -errno as it wants, counts, and asks for immediate acknowledgements while
   messages are small. Without that each turn of a handshake waits for the peer's delayed-ack timer. */
static inline ssize_t blockfarm_ssh2_receive(
    libssh2_socket_t socket, void *buffer, size_t length, int flags, void **abstract) {
  struct blockfarm_ssh2_counter *counter = *abstract;
  int on = 1;
  int quick = length < 65536 || counter->received < 65536;
  if (quick) setsockopt(socket, SOL_TCP, TCP_QUICKACK, &on, sizeof on);
  ssize_t count = recv(socket, buffer, length, flags);
  if (count < 0) return errno == EINTR ? -EAGAIN : -errno;
  if (quick) setsockopt(socket, SOL_TCP, TCP_QUICKACK, &on, sizeof on);
  counter->received += (uint64_t)count;
  return count;
}

static inline LIBSSH2_SESSION *blockfarm_ssh2_session(struct blockfarm_ssh2_counter *counter) {
  LIBSSH2_SESSION *session = libssh2_session_init_ex(NULL, NULL, NULL, counter);
  if (session) libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)blockfarm_ssh2_receive);
  return session;
}
