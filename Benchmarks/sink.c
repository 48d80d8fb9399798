// An error server that takes everything at once: what a report costs is then its sender's cost. Says its port, and serves
// connections one after the other until it is killed.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

// Answers each whole request that has come. Returns false when the peer is gone.
static int serve(int peer) {
    static char buffer[1 << 20];
    static size_t length;
    ssize_t got = recv(peer, buffer + length, sizeof buffer - 1 - length, 0);
    if (got <= 0) return length = 0;
    length += (size_t)got;
    buffer[length] = 0;
    char *body;
    while ((body = strstr(buffer, "\r\n\r\n"))) {
        char *size = strcasestr(buffer, "content-length:");
        size_t whole = (size_t)(body + 4 - buffer) + (size && size < body ? strtoul(size + 15, NULL, 10) : 0);
        if (length < whole) break;
        if (send(peer, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) return length = 0;
        memmove(buffer, buffer + whole, length - whole + 1);
        length -= whole;
    }
    return 1;
}

int main(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 16)) return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) return 1;
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        while (serve(peer)) {}
        close(peer);
    }
}
