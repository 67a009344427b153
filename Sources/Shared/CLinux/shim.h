#pragma once
/* Linux calls that Swift's Glibc module does not offer: variadic ones, GNU extensions, and headers it leaves out. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
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

/* A descriptor that polls readable when the process has ended; -1 with errno (ENOSYS before Linux 5.3). */
static inline int blockfarm_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/* A close-on-exec, non-blocking descriptor that reads the signals of the set; -1 with errno. */
static inline int blockfarm_signalfd(const sigset_t *set) { return signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK); }

/* Names the calling thread for top -H and debuggers; all but 15 bytes are cut off. */
static inline void blockfarm_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
