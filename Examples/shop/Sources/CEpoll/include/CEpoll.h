// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#pragma once

// Swift's Glibc module leaves epoll out.
#include <sys/epoll.h>
