/* Hears who wants to leave this machine, also from native code: writes it down, and refuses. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void heard(const char *call, const char *where) {
    char line[400];
    int size = snprintf(line, sizeof line, "%s %s\n", call, where);
    const char *path = getenv("LISTENING_TO");
    int file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
    if (file >= 0) {
        if (write(file, line, (size_t)size) < 0) { }
        close(file);
    }
}

static int outside(const struct sockaddr *address, char *shown, size_t size) {
    if (!address) return 0;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &four->sin_addr, shown, (socklen_t)size);
        return (ntohl(four->sin_addr.s_addr) >> 24) != 127 && four->sin_addr.s_addr != 0;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &six->sin6_addr, shown, (socklen_t)size);
        return !IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) && !IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
    }
    return 0;
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
    char shown[80];
    if (outside(address, shown, sizeof shown)) {
        heard("connect", shown);
        errno = ENETUNREACH;
        return -1;
    }
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    return next(socket, address, length);
}

ssize_t sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
    char shown[80];
    if (outside(address, shown, sizeof shown)) {
        heard("sendto", shown);
        errno = ENETUNREACH;
        return -1;
    }
    ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
    return next(socket, data, size, flags, address, length);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    char own[256] = "";
    struct in_addr four;
    struct in6_addr six;
    gethostname(own, sizeof own - 1);
    if (node && strcmp(node, "localhost") && strcmp(node, own) && !inet_pton(AF_INET, node, &four) &&
        !inet_pton(AF_INET6, node, &six)) {
        heard("getaddrinfo", node);
        return EAI_NONAME;
    }
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    return next(node, service, hints, result);
}
