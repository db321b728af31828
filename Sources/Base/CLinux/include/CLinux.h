// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// System calls and constants that Glibc keeps from Swift (variadic calls, macros).
#pragma once
#include "Processes.h"
#include "LayerFiles.h"
#include "Streams.h"
