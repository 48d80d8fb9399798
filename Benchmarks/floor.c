// The least that a program must do on Lambda: what every other program's figures are divided by.
// Blocking calls on one socket, no JSON library, no allocation once its buffers have grown. It trusts its peer: events are
// searched, not parsed, and must come with a Content-Length.
//
// AWS_LWA_INVOKE_MODE=response_stream streams the answers. The connection is kept then too, as most runtimes do; FLOOR_CLOSE=1
// closes it after each answer, as AWS documents it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>
#include <unistd.h>

// A literal and its length.
#define TEXT(literal) "" literal, sizeof(literal) - 1

struct buffer {
    char *bytes;
    size_t size, used;
};

struct message {
    const char *id, *body;
    size_t id_length, body_length;
};

static int connection = -1;
static struct sockaddr_in address;
static bool streams, closes;
static const char *host;
static size_t host_length;
static struct buffer in, pieces, decoded;
static char out[16384];
static char *end_of_out;
static uint32_t base64_bits[4][256];  // by place within a group of four, shifted already

static void fail(const char *reason) {
    fprintf(stderr, "floor: %s%s%s\n", reason, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static void reserve(struct buffer *buffer, size_t size) {
    if (size <= buffer->size) return;
    buffer->bytes = realloc(buffer->bytes, size);
    if (!buffer->bytes) fail("memory");
    buffer->size = size;
}

// --- the connection

static void connect_again(void) {
    if (connection >= 0) close(connection);
    connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // A send buffer that stays in the CPU's cache: left alone it grows to megabytes, and copying through those is slower.
    int on = 1, send_buffer = 128 << 10;
    if (connection < 0 || setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(connection, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer) != 0 ||
        connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        fail("connect");
    }
}

static void send_all(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);
        if (sent < 0) fail("send");
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void send_three(struct iovec part[3]) {
    for (int index = 0; index < 3;) {
        ssize_t sent = writev(connection, part + index, 3 - index);
        if (sent < 0) fail("writev");
        for (; index < 3 && (size_t)sent >= part[index].iov_len; index++) sent -= (ssize_t)part[index].iov_len;
        if (index < 3) {
            part[index].iov_base = (char *)part[index].iov_base + sent;
            part[index].iov_len -= (size_t)sent;
        }
    }
}

// Reads one message; what is small comes in one recv.
static struct message receive(void) {
    char *end = NULL;
    in.used = 0;
    while (!end) {
        ssize_t got = recv(connection, in.bytes + in.used, in.size - in.used, 0);
        if (got <= 0) fail("recv");
        in.used += (size_t)got;
        end = memmem(in.bytes, in.used, "\r\n\r\n", 4);
    }
    size_t head = (size_t)(end - in.bytes) + 4, id = 0;
    struct message message = {0};
    for (char *line = in.bytes; line < end; line = (char *)memchr(line, '\n', (size_t)(end + 2 - line)) + 1) {
        if (strncasecmp(line, TEXT("content-length:")) == 0) {
            message.body_length = strtoul(line + 15, NULL, 10);
        } else if (strncasecmp(line, TEXT("lambda-runtime-aws-request-id: ")) == 0) {
            id = (size_t)(line - in.bytes) + 31;
            message.id_length = (size_t)((char *)memchr(line, '\r', (size_t)(end + 1 - line)) - line) - 31;
        }
    }
    reserve(&in, head + message.body_length);
    while (in.used < head + message.body_length) {
        ssize_t got = recv(connection, in.bytes + in.used, head + message.body_length - in.used, MSG_WAITALL);
        if (got <= 0) fail("recv");
        in.used += (size_t)got;
    }
    message.id = in.bytes + id;
    message.body = in.bytes + head;
    return message;
}

// --- the answer

static void add(const char *bytes, size_t length) {
    memcpy(end_of_out, bytes, length);
    end_of_out += length;
}

static void add_number(size_t number, unsigned base) {
    char digits[20], *first = digits + sizeof digits;
    do {
        *--first = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    add(first, (size_t)(digits + sizeof digits - first));
}

static void add_head(const struct message *event) {
    end_of_out = out;
    add(TEXT("POST /2018-06-01/runtime/invocation/"));
    add(event->id, event->id_length);
    add(TEXT("/response HTTP/1.1\r\nHost: "));
    add(host, host_length);
    add(TEXT("\r\nUser-Agent: floor\r\n"));
}

static void add_status(const char *before, size_t length, const char *status) {
    add(before, length);
    memcpy(end_of_out - length + 14, status, 3);
}

// Head and prelude of a streamed answer.
static void add_opening(const struct message *event, const char *status, const char *type) {
    static const char before[] = "{\"statusCode\":200,\"headers\":{\"content-type\":\"", after[] = "\"}}\0\0\0\0\0\0\0";
    add_head(event);
    add(TEXT("Content-Type: application/vnd.awslambda.http-integration-response\r\n"
             "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
             "Transfer-Encoding: chunked\r\n"
             "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"));
    if (closes) add(TEXT("Connection: close\r\n"));
    add(TEXT("\r\n"));
    add_number(sizeof before - 1 + strlen(type) + sizeof after, 16);
    add(TEXT("\r\n"));
    add_status(before, sizeof before - 1, status);
    add(type, strlen(type));
    add(after, sizeof after);  // with its own NUL, the eighth
    add(TEXT("\r\n"));
}

// Sends what `out` holds, the body and a tail: in one piece if they are small, else from where they are.
static void send_around(const char *body, size_t length, const char *tail, size_t tail_length) {
    if ((size_t)(out + sizeof out - end_of_out) >= length + tail_length) {
        add(body, length);
        add(tail, tail_length);
        return send_all(out, (size_t)(end_of_out - out));
    }
    struct iovec parts[] = {{out, (size_t)(end_of_out - out)}, {(char *)body, length}, {(char *)tail, tail_length}};
    send_three(parts);
}

static void answer_streamed(
    const struct message *event, const char *status, const char *type, const char *body, size_t length
) {
    add_opening(event, status, type);
    if (length == 0) return send_around(body, 0, TEXT("0\r\n\r\n"));
    add_number(length, 16);
    add(TEXT("\r\n"));
    send_around(body, length, TEXT("\r\n0\r\n\r\n"));
}

// `body` is what stands between the quotes of a JSON string.
static void answer_buffered(
    const struct message *event, const char *status, const char *type, const char *body, size_t length, bool is_base64
) {
    static const char before[] = "{\"statusCode\":200,\"headers\":{\"content-type\":\"";
    const char *tail = is_base64 ? "\",\"isBase64Encoded\":true}" : "\",\"isBase64Encoded\":false}";
    size_t tail_length = is_base64 ? 25 : 26, type_length = strlen(type);
    add_head(event);
    add(TEXT("Content-Type: application/json\r\nContent-Length: "));
    add_number(sizeof before - 1 + type_length + 11 + length + tail_length, 10);
    add(TEXT("\r\n\r\n"));
    add_status(before, sizeof before - 1, status);
    add(type, type_length);
    add(TEXT("\"},\"body\":\""));
    send_around(body, length, tail, tail_length);
}

static void answer(const struct message *event, const char *status, const char *type, const char *body, size_t length) {
    if (streams) answer_streamed(event, status, type, body, length);
    else answer_buffered(event, status, type, body, length, false);
}

// --- the routes

static const char *find(const char *from, const char *end, const char *key, size_t length) {
    const char *found = memmem(from, (size_t)(end - from), key, length);
    return found ? found + length : NULL;
}

static void user(const struct message *event, const char *id, size_t length) {
    if (length > 256) length = 256;
    char body[512], *end = body;
    // The same text twice: as it is, and as it stands in a JSON string.
    end = stpcpy(end, streams ? "{\"id\":\"" : "{\\\"id\\\":\\\"");
    end = (char *)mempcpy(end, id, length);
    end = stpcpy(end, streams ? "\",\"name\":\"Ada Lovelace\"}" : "\\\",\\\"name\\\":\\\"Ada Lovelace\\\"}");
    answer(event, "200", "application/json", body, (size_t)(end - body));
}

static size_t decode_base64(const char *text, size_t length, char *to) {
    char *start = to;
    const unsigned char *from = (const unsigned char *)text;
    while (length > 0 && from[length - 1] == '=') length--;
    for (; length > 4; length -= 4, from += 4, to += 3) {
        uint32_t bits = base64_bits[0][from[0]] | base64_bits[1][from[1]] | base64_bits[2][from[2]] | base64_bits[3][from[3]];
        bits = htonl(bits);
        memcpy(to, &bits, 4);  // one byte too many, which the next group or the last one overwrites
    }
    uint32_t bits = 0;
    for (size_t place = 0; place < length; place++) bits |= base64_bits[place][from[place]];
    for (size_t place = 0; place + 1 < length; place++) *to++ = (char)(bits >> (24 - 8 * place));
    return (size_t)(to - start);
}

static void echo(const struct message *event) {
    const char *end = event->body + event->body_length, *body = find(event->body, end, TEXT("\"body\":\""));
    if (!body) return answer(event, "200", "application/octet-stream", "", 0);
    const char *quote = body;
    for (;; quote++) {
        quote = memchr(quote, '"', (size_t)(end - quote));
        if (!quote) fail("a body without an end");
        size_t escapes = 0;
        while (quote[-1 - (ssize_t)escapes] == '\\') escapes++;
        if (escapes % 2 == 0) break;
    }
    static const char key[] = "\"isBase64Encoded\":true";
    bool is_base64 = find(quote, end, key, sizeof key - 1) || find(event->body, body, key, sizeof key - 1);
    size_t length = (size_t)(quote - body);
    if (!streams) return answer_buffered(event, "200", "application/octet-stream", body, length, is_base64);
    if (!is_base64) fail("only base64 can be streamed back");
    reserve(&decoded, length);
    answer_streamed(event, "200", "application/octet-stream", decoded.bytes, decode_base64(body, length, decoded.bytes));
}

static size_t parameter(const struct message *event, const char *name) {
    const char *end = event->body + event->body_length, *query = find(event->body, end, TEXT("\"rawQueryString\":\""));
    const char *value = query ? find(query, end, name, strlen(name)) : NULL;
    return value ? strtoul(value, NULL, 10) : 0;
}

static void stream(const struct message *event) {
    static size_t filled;
    size_t chunks = parameter(event, "chunks="), size = parameter(event, "size=");
    if (!streams) {
        reserve(&pieces, chunks * size + 1);
        for (size_t chunk = 0; chunk < chunks; chunk++) memset(pieces.bytes + chunk * size, 'x', size);
        return answer(event, "200", "text/plain", pieces.bytes, chunks * size);
    }
    add_opening(event, "200", "text/plain");
    send_all(out, (size_t)(end_of_out - out));
    end_of_out = out;
    add_number(size, 16);
    add(TEXT("\r\n"));
    size_t line = (size_t)(end_of_out - out);
    if (filled != size) {
        reserve(&pieces, line + size + 2);
        memcpy(pieces.bytes, out, line);
        memset(pieces.bytes + line, 'x', size);
        memcpy(pieces.bytes + line + size, "\r\n", 2);
        filled = size;
    }
    for (size_t chunk = 0; chunk < chunks && size > 0; chunk++) send_all(pieces.bytes, line + size + 2);
    send_all(TEXT("0\r\n\r\n"));
}

static void serve(const struct message *event) {
    const char *end = event->body + event->body_length, *path = find(event->body, end, TEXT("\"rawPath\":\""));
    if (path && strncmp(path, TEXT("/hello\"")) == 0) {
        return answer(event, "200", "text/plain; charset=utf-8", TEXT("Hello, World!"));
    }
    if (path && strncmp(path, TEXT("/users/")) == 0) return user(event, path + 7, strcspn(path + 7, "\""));
    if (path && strncmp(path, TEXT("/echo\"")) == 0) return echo(event);
    if (path && strncmp(path, TEXT("/stream\"")) == 0) return stream(event);
    answer(event, "404", "text/plain", TEXT("Not Found"));
}

static void read_settings(void) {
    host = getenv("AWS_LAMBDA_RUNTIME_API");
    const char *colon = host ? strrchr(host, ':') : NULL, *mode = getenv("AWS_LWA_INVOKE_MODE");
    char name[64] = "";
    if (!colon || (size_t)(colon - host) >= sizeof name) fail("AWS_LAMBDA_RUNTIME_API must be ADDRESS:PORT");
    host_length = strlen(host);
    memcpy(name, host, (size_t)(colon - host));
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, name, &address.sin_addr) != 1) fail("AWS_LAMBDA_RUNTIME_API must be an IPv4 address and a port");
    streams = mode && strcasecmp(mode, "response_stream") == 0;
    closes = streams && getenv("FLOOR_CLOSE");
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned index = 0; index < 64; index++) {
        for (unsigned place = 0; place < 4; place++) {
            base64_bits[place][(unsigned char)alphabet[index]] = index << (26 - 6 * place);
        }
    }
}

int main(void) {
    static char next[256];
    read_settings();
    int next_length = snprintf(
        next, sizeof next, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\nUser-Agent: floor\r\n\r\n", host);
    reserve(&in, 65536);
    connect_again();
    for (;;) {
        send_all(next, (size_t)next_length);
        struct message event = receive();
        serve(&event);
        receive();
        if (memcmp(in.bytes, "HTTP/1.1 202", 12) != 0) fail("the answer was refused");
        if (closes) connect_again();
    }
}
