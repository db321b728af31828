// SPDX-License-Identifier: Apache-2.0
// Copyright the Ballast authors

#define _GNU_SOURCE
#include "Streams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int failed(int fd) {
    int number = -errno;
    close(fd);
    return number;
}

int ballast_set_blocking(int fd, int blocks) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return fcntl(fd, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) == 0 ? 0 : -errno;
}

int ballast_console_listen(int folder, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // By way of the descriptor, since a socket's path may have 107 bytes only.
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof address.sun_path) return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0) return failed(fd);
    return fd;
}

static int await_event(int fd, short event, int timeout) {
    struct pollfd wanted = {.fd = fd, .events = event};
    int count;
    do {
        count = poll(&wanted, 1, timeout);
    } while (count < 0 && errno == EINTR);
    if (count == 0) errno = ETIMEDOUT;
    return count > 0 ? 0 : -1;
}

static int receive_descriptor(int socket) {
    char text[256];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = sizeof text};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t count;
    do {
        count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (!first || first->cmsg_level != SOL_SOCKET || first->cmsg_type != SCM_RIGHTS
        || first->cmsg_len != CMSG_LEN(sizeof(int)))
        return -EPROTO;
    int fd;
    memcpy(&fd, CMSG_DATA(first), sizeof fd);
    return fd;
}

int ballast_console_receive(int listener, int timeout) {
    if (await_event(listener, POLLIN, timeout) != 0) return -errno;
    int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (socket < 0) return -errno;
    if (await_event(socket, POLLIN, timeout) != 0) return failed(socket);
    int fd = receive_descriptor(socket);
    close(socket);
    if (fd < 0) return fd;
    int result = ballast_set_blocking(fd, 0);
    if (result == 0) return fd;
    close(fd);
    return result;
}

int ballast_set_window(int terminal, unsigned short columns, unsigned short rows) {
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    return ioctl(terminal, TIOCSWINSZ, &size) == 0 ? 0 : -errno;
}

int ballast_dial_loopback(int port, int is_ipv6, int timeout) {
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 six = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *address = is_ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t size = is_ipv6 ? sizeof six : sizeof four;
    int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, address, size) == 0) return fd;
    if (errno != EINPROGRESS || await_event(fd, POLLOUT, timeout) != 0) return failed(fd);
    int problem = 0;
    socklen_t length = sizeof problem;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &length) != 0) return failed(fd);
    if (problem == 0) return fd;
    close(fd);
    return -problem;
}
