// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#define _GNU_SOURCE
#include "LayerFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int ballast_open_in_root(int root, const char *path, int flags, unsigned mode) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
        .mode = mode,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    for (int attempt = 0; attempt < 64; attempt++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        // A rename elsewhere in the mount makes a `..` on the way uncertain; the kernel asks to try again.
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return (int)fd;
    }
    return -1;
}

int ballast_open_path_flags(void) { return O_PATH | O_DIRECTORY; }

int ballast_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return fsetxattr(fd, name, value, size, 0);
}

long ballast_fgetxattr(int fd, const char *name, void *value, size_t size) { return fgetxattr(fd, name, value, size); }

int ballast_make_whiteout(int folder, const char *name) { return mknodat(folder, name, S_IFCHR, makedev(0, 0)); }

int ballast_syncfs(int fd) { return syncfs(fd); }

int ballast_unshare_fs(void) { return unshare(CLONE_FS); }

int ballast_unshare_net(void) { return unshare(CLONE_NEWNET); }

int ballast_set_net(int fd) { return setns(fd, CLONE_NEWNET); }
