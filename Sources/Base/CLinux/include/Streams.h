// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

// Terminals of containers and connections inside their networks.
// Functions return 0 or a descriptor on success and -errno on failure.
#pragma once

/// A socket named `name` in the folder behind a descriptor, on which a terminal can be handed over; close-on-exec.
int ballast_console_listen(int folder, const char *name);

/// Takes the terminal that somebody sent to the socket; close-on-exec, without blocking. `timeout` is in milliseconds.
int ballast_console_receive(int listener, int timeout);

int ballast_set_window(int terminal, unsigned short columns, unsigned short rows);

/// Connects to a port of 127.0.0.1 (or ::1) as the calling thread's network namespace has it; close-on-exec, without
/// blocking. `timeout` is in milliseconds.
int ballast_dial_loopback(int port, int is_ipv6, int timeout);

/// Makes reads and writes block, or not.
int ballast_set_blocking(int fd, int blocks);
