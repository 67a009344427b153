#pragma once
/* Linux calls that Swift's Glibc module does not offer: variadic ones, GNU extensions, and headers it leaves out. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc shows these only with _GNU_SOURCE, which cannot be set for a module that others have already imported. */
extern int pipe2(int ends[2], int flags);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern const char *sigabbrev_np(int signal);
enum { blockfarm_spawn_setsid = 0x80 };

/* Orphans among the descendants of the caller become its own children. 0, or -1 with errno. */
static inline int blockfarm_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

/* Whoever started this program may have made it ignore SIGCHLD; the kernel would then forget how its children end. */
static inline void blockfarm_keep_child_ends(void) {
  struct sigaction action;
  if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
}

/* Makes the process's memory unreadable for other processes of the same user, and keeps it out of core files. 0, or -1 with errno. */
static inline int blockfarm_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

/* Keeps copies of the named variables, and overwrites and removes all others: unsetenv would leave their text where the kernel put it, for all who can
   read /proc/<pid>/environ. While there is one thread. 0, or -1 with errno. */
static inline int blockfarm_clean_environment(const char *const *names, size_t count) {
  extern char **environ;
  char **copies = (char **)calloc(count + 1, sizeof(char *));
  int result = copies == NULL ? -1 : 0;
  for (size_t i = 0; result == 0 && i < count; i++) {
    const char *value = getenv(names[i]);
    if (value != NULL && (copies[i] = strdup(value)) == NULL) result = -1;
  }
  for (char **entry = environ; result == 0 && entry != NULL && *entry != NULL; entry++) {
    volatile char *text = *entry;
    for (size_t left = strlen(*entry); left > 0; left--) *text++ = 0;
  }
  if (result == 0) result = clearenv() == 0 ? 0 : -1;
  for (size_t i = 0; copies != NULL && i < count; i++) {
    if (result == 0 && copies[i] != NULL) result = setenv(names[i], copies[i], 1);
    free(copies[i]);
  }
  free(copies);
  return result;
}

/* A descriptor that polls readable when the process has ended; -1 with errno (ENOSYS before Linux 5.3). */
static inline int blockfarm_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/* A close-on-exec, non-blocking descriptor that reads the signals of the set; -1 with errno. */
static inline int blockfarm_signalfd(const sigset_t *set) { return signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK); }

/* Names the calling thread for top -H and debuggers; all but 15 bytes are cut off. */
static inline void blockfarm_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/* Where a crash is noted; written only before a crash can happen. */
static volatile int blockfarm_crash_descriptor = -1;

/* write() and raise() may be called in a signal handler. SA_RESETHAND makes the signal that is raised again end the process as it always does. */
static inline void blockfarm_note_crash(int number) {
  char note = (char)number;
  if (write(blockfarm_crash_descriptor, &note, 1) < 0) _exit(128 + number);
  raise(number);
}

/* From here on a process that ends by its own fault (a trap, a bad address, abort) first writes the signal's number to the descriptor, as one byte.
   SIGKILL is no such fault, and cannot be noted. */
static inline void blockfarm_note_crashes(int descriptor) {
  static const int signals[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
  struct sigaction action;
  blockfarm_crash_descriptor = descriptor;
  memset(&action, 0, sizeof action);
  action.sa_handler = blockfarm_note_crash;
  action.sa_flags = SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) sigaction(signals[i], &action, NULL);
}
