// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// The module's first file comes with its first feature.
