// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#define _GNU_SOURCE
#include "Processes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int ballast_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : -errno;
}

int ballast_spawn(
    const char *program, char *const argv[], char *const envp[], int in, int out, int err, const char *folder, int *pid
) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // A descriptor that is already in its place loses close-on-exec by being duplicated onto itself.
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (folder) posix_spawn_file_actions_addchdir_np(&actions, folder);
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int failure = posix_spawn(pid, program, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -failure;
}

int ballast_pidfd_open(int pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd >= 0 ? fd : -errno;
}

int ballast_pidfd_kill(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

static int reap(idtype_t type, id_t id, int *code) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do {
        result = waitid(type, id, &info, WEXITED | WNOHANG);
    } while (result != 0 && errno == EINTR);
    if (result != 0) return -errno;
    if (info.si_pid == 0) return 0;
    *code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return 1;
}

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int ballast_reap(int pidfd, int *code) { return reap((idtype_t)P_PIDFD, (id_t)pidfd, code); }

int ballast_reap_orphan(int pid) {
    int code;
    return reap(P_PID, (id_t)pid, &code);
}

struct pin {
    const char *hostname, *uts, *ipc;
    int result;
};

// Runs on a thread of its own: the namespaces it leaves its process's for vanish with it unless pinned.
static void *pin_namespaces(void *argument) {
    struct pin *pin = argument;
    if (unshare(CLONE_NEWUTS | CLONE_NEWIPC) != 0 || sethostname(pin->hostname, strlen(pin->hostname)) != 0
        || mount("/proc/thread-self/ns/uts", pin->uts, NULL, MS_BIND, NULL) != 0
        || mount("/proc/thread-self/ns/ipc", pin->ipc, NULL, MS_BIND, NULL) != 0)
        pin->result = -errno;
    return NULL;
}

int ballast_pin_namespaces(const char *hostname, const char *uts, const char *ipc) {
    struct pin pin = {hostname, uts, ipc, 0};
    pthread_t thread;
    int failure = pthread_create(&thread, NULL, pin_namespaces, &pin);
    if (failure) return -failure;
    pthread_join(thread, NULL);
    return pin.result;
}

static int open_below(int root, const char *path, int flags, mode_t mode) {
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (unsigned)(flags | O_CLOEXEC);
    how.mode = flags & O_CREAT ? mode : 0;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd >= 0 ? fd : -errno;
}

int ballast_open_under(const char *root, const char *path, int flags) {
    int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) return -errno;
    int fd = open_below(top, path, flags, 0644);
    close(top);
    return fd;
}

int ballast_make_folder_under(const char *root, const char *path, unsigned mode) {
    int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) return -errno;
    char *walked = strdup(path);
    if (!walked) {
        close(top);
        return -ENOMEM;
    }
    int folder = top, result = 0;
    // Each prefix is resolved anew from the root, so that a link on the way is followed inside it.
    for (char *end = walked; result == 0;) {
        while (*end == '/') end++;
        if (*end == 0) break;
        char *next = strchr(end, '/');
        size_t length = next ? (size_t)(next - walked) : strlen(walked);
        char saved = walked[length];
        walked[length] = 0;
        if (mkdirat(folder, end, mode) != 0 && errno != EEXIST) result = -errno;
        if (result == 0) {
            int opened = open_below(top, walked, O_PATH | O_DIRECTORY, 0);
            if (opened < 0) {
                result = opened;
            } else {
                if (folder != top) close(folder);
                folder = opened;
            }
        }
        walked[length] = saved;
        end = walked + length;
    }
    free(walked);
    if (folder != top) close(top);
    if (result != 0) {
        close(folder);
        return result;
    }
    return folder;
}

int ballast_mount_tmpfs(const char *target, const char *options) {
    return mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0 ? 0 : -errno;
}

int ballast_bind_mount(const char *source, const char *target) {
    return mount(source, target, NULL, MS_BIND | MS_REC, NULL) == 0 ? 0 : -errno;
}

int ballast_unmount(const char *target) {
    if (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT) return 0;
    return -errno;
}

int ballast_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    int flags = fcntl(ends[0], F_GETFL);
    if (flags < 0 || fcntl(ends[0], F_SETFL, flags | O_NONBLOCK) != 0) {
        int failure = -errno;
        close(ends[0]);
        close(ends[1]);
        return failure;
    }
    return 0;
}

int ballast_epoll_create(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    return epoll >= 0 ? epoll : -errno;
}

int ballast_epoll_add(int epoll, int fd, uint64_t token, int writes) {
    struct epoll_event event = {.events = writes ? EPOLLOUT : EPOLLIN, .data = {.u64 = token}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int ballast_epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) == 0 ? 0 : -errno; }

int ballast_epoll_wait(int epoll, uint64_t *tokens, int limit) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, limit < 64 ? limit : 64, -1);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) tokens[i] = events[i].data.u64;
    return count;
}

int ballast_o_path(void) { return O_PATH; }
