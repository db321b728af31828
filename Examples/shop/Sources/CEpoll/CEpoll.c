// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#include "CEpoll.h"
