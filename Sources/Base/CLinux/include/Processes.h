// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// Starting, watching and ending processes; namespaces that no process holds; mounts.
// Functions return 0 or a descriptor on success and -errno on failure, unless said otherwise.
#pragma once
#include <stdint.h>

/// Orphaned descendants become children of this process, so that it learns how they end.
int ballast_become_subreaper(void);

/// Starts a program in a process group of its own, with default signal handling and no inherited descriptor but 0, 1, 2.
/// `folder` may be null. Stores the new process's id.
int ballast_spawn(
    const char *program, char *const argv[], char *const envp[], int in, int out, int err, const char *folder, int *pid);

/// A descriptor that becomes readable when the process ends; close-on-exec.
int ballast_pidfd_open(int pid);

/// Sends a signal to exactly the process that the descriptor stands for.
int ballast_pidfd_kill(int pidfd, int signal);

/// Collects an ended child: 1 when it had ended, 0 when it still runs. `code` is the exit code, or 128 + the signal.
int ballast_reap(int pidfd, int *code);

/// Collects the ended child `pid`, which nobody waits for: 1 when it had ended, 0 when it still runs.
int ballast_reap_orphan(int pid);

/// Makes a UTS namespace with that host name and an IPC namespace, and pins each to a file; both files must exist.
int ballast_pin_namespaces(const char *hostname, const char *uts, const char *ipc);

/// Opens `path` below `root`; links in it are followed as if `root` were `/`, so that nothing leads out.
int ballast_open_under(const char *root, const char *path, int flags);

/// Creates the folder `path` and its missing parents below `root`, as above, and returns a descriptor of it.
int ballast_make_folder_under(const char *root, const char *path, unsigned mode);

int ballast_mount_tmpfs(const char *target, const char *options);
int ballast_bind_mount(const char *source, const char *target);
/// Detaches whatever is mounted there; nothing mounted is no failure.
int ballast_unmount(const char *target);

/// A pair of connected descriptors, read end first; both close-on-exec, the read end without blocking.
int ballast_pipe(int ends[2]);

/// A wait queue for many descriptors; close-on-exec.
int ballast_epoll_create(void);
/// Reports `token` whenever the descriptor is readable (with `writes`: writable) or closed by its other side.
int ballast_epoll_add(int epoll, int fd, uint64_t token, int writes);
int ballast_epoll_remove(int epoll, int fd);
/// Waits, and stores the tokens of at most `limit` descriptors that are ready; returns how many.
int ballast_epoll_wait(int epoll, uint64_t *tokens, int limit);

/// The flag of an open that only names a file.
int ballast_o_path(void);
