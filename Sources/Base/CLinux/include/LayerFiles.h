// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// What unpacking layers and mounting them needs: path look-up that cannot leave a folder, extended attributes, mounts.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Opens `path` below the folder `root`; links and `..` on the way never lead out of it (openat2, RESOLVE_IN_ROOT).
int ballast_open_in_root(int root, const char *path, int flags, unsigned mode);
/// Flags for an open that only names a file, and for one that must be a folder.
int ballast_open_path_flags(void);
int ballast_fsetxattr(int fd, const char *name, const void *value, size_t size);
/// The size of the value read into `value`, or -1.
long ballast_fgetxattr(int fd, const char *name, void *value, size_t size);
/// A whiteout of overlayfs: the character device 0:0.
int ballast_make_whiteout(int folder, const char *name);
int ballast_syncfs(int fd);
/// Lets this thread have a current folder (and mask) of its own.
int ballast_unshare_fs(void);
/// This thread moves into a new network namespace.
int ballast_unshare_net(void);
/// This thread moves into the network namespace open as `fd`.
int ballast_set_net(int fd);
