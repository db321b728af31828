// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#pragma once
#include <openssl/evp.h>
#include <openssl/sha.h>
