// Plays the Lambda Runtime API for several programs in turn and times them.
//
// Each program has a process, a listening socket and a set of kept connections per scenario. One process runs at a time, the
// others are stopped (SIGSTOP). Nothing is allocated between the first and the last byte of an invocation. The figures go to
// one JSON file; bench.py makes tables of it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEXT(literal) "" literal, sizeof(literal) - 1
#define IS_FIELD(line, start) (strncasecmp(line, TEXT(start)) == 0)

enum {
    limit_seconds = 10,            // of every wait
    max_programs = 16,
    max_connections = 8,           // open at once, of one program
    max_variables = 16,
    buffer_size = 1 << 20,         // of one connection
    peek = 2048,                   // what is kept of a reply that is only counted
    worth_skipping = 64 << 10,     // rest of a body that the kernel may throw away for us
    event_limit = 6291556,         // what Lambda takes and gives, as JSON
    capture_size = 72 << 20,       // the longest reply that is checked byte by byte
};

// --- what is measured

enum mode { buffered, streamed };
enum body { hello, users, echo, stream };

struct scenario {
    const char *name;
    enum mode mode;
    bool is_start, is_from_disk;
    enum body body;
    size_t count, warm_up;         // per round; before the first round
    size_t bytes;                  // of an echo
    size_t chunks, size;           // of a stream
};

static struct scenario scenarios[] = {
    {.name = "start", .is_start = true, .count = 11, .warm_up = 2},
    {.name = "start-from-disk", .is_start = true, .is_from_disk = true, .count = 5, .warm_up = 1},
    {.name = "hello-buffered", .body = hello, .count = 2000, .warm_up = 1000},
    {.name = "hello-streamed", .mode = streamed, .body = hello, .count = 2000, .warm_up = 1000},
    {.name = "users-buffered", .body = users, .count = 2000, .warm_up = 1000},
    {.name = "echo-1m", .body = echo, .bytes = 1 << 20, .count = 20, .warm_up = 5},
    {.name = "echo-1m-streamed", .mode = streamed, .body = echo, .bytes = 1 << 20, .count = 20, .warm_up = 5},
    {.name = "echo-4m", .body = echo, .bytes = 4716000, .count = 5, .warm_up = 3},
    {.name = "stream-64m", .mode = streamed, .body = stream, .chunks = 64, .size = 1 << 20, .count = 3, .warm_up = 2},
    {.name = "stream-20k", .mode = streamed, .body = stream, .chunks = 20000, .size = 100, .count = 3, .warm_up = 2},
    {.name = "stream-1m-buffered", .body = stream, .chunks = 16, .size = 1 << 16, .count = 20, .warm_up = 5},
};
enum { scenario_count = sizeof scenarios / sizeof *scenarios };

struct connection {
    int socket;                    // -1: none
    size_t start, end;             // of what was read ahead, in the buffer of the same index
};

// Several programs may lie frozen with open connections, but only the running one has bytes in them.
static char buffers[max_connections][buffer_size];

struct measured {
    uint64_t *times, *cycles;      // of a start from disk, in the place of cycles: bytes of the program's file that were read
    uint64_t cpu[1024];            // per round
    long hwm, rss, threads, libraries;
    size_t reply_bytes, data_chunks, connections;
};

struct program {
    const char *name, *path;
    char *variables[max_variables];
    size_t variable_count;
    // The process of the current scenario.
    pid_t pid;                     // 0: none
    int pidfd, listener;
    struct connection connections[max_connections];
    struct connection *waiting;    // where `next` was asked
    bool is_checked;
    size_t reply_bytes;            // of the first reply; all others must have as many
    char status[32];               // how the first reply spelled its status
    struct measured result;
};

static struct program programs[max_programs];
static size_t program_count;
static const struct scenario *current;
static size_t rounds = 11, load;
static const char *path_override;
static size_t extra_headers;
static bool any_body;
static int log_file = -1, driver_cpu = -1, program_cpu = -1;

// --- failure

static void kill_all(void) {
    for (size_t index = 0; index < program_count; index++) {
        if (programs[index].pid > 0) kill(-programs[index].pid, SIGKILL);
    }
}

__attribute__((noreturn, format(printf, 2, 3))) static void fail(const struct program *program, const char *format, ...) {
    fflush(stdout);
    fprintf(stderr, "driver: ");
    if (program) fprintf(stderr, "%s, ", program->name);
    if (current) fprintf(stderr, "%s: ", current->name);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    // A dead program explains most failures; its sockets close a moment before it can be waited for.
    int status;
    if (program && program->pid > 0) poll(&(struct pollfd){.fd = program->pidfd, .events = POLLIN}, 1, 200);
    if (program && program->pid > 0 && waitpid(program->pid, &status, WNOHANG) == program->pid) {
        if (WIFEXITED(status)) fprintf(stderr, " (it exited with status %d)", WEXITSTATUS(status));
        if (WIFSIGNALED(status)) fprintf(stderr, " (it was killed by signal %d)", WTERMSIG(status));
    }
    fprintf(stderr, "\n");
    kill_all();
    exit(1);
}

static void watchdog(int signal) {
    (void)signal;
    static const char text[] = "driver: a program was neither stopped nor killed in time\n";
    ssize_t ignored = write(2, text, sizeof text - 1);
    (void)ignored;
    kill_all();
    _exit(1);
}

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (!memory) fail(NULL, "out of memory");
    memset(memory, 0, size);  // touched now, so that no page fault falls into a measurement
    return memory;
}

static int shown(size_t length) {
    return length < 300 ? (int)length : 300;
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t now(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

// Of all threads, those that have ended included.
static uint64_t cpu_ns(const struct program *program) {
    clockid_t clock;
    if (clock_getcpuclockid(program->pid, &clock) != 0) fail(program, "it has no CPU clock");
    return clock_ns(clock);
}

// --- events

struct text {
    char *bytes;
    size_t length, size;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->bytes + text->length, text->size - text->length, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= text->size - text->length) fail(NULL, "an event is too long");
    text->length += (size_t)length;
}

static char *echo_bytes;

static void add_base64(struct text *text, const char *bytes, size_t length) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t index = 0; index < length; index += 3) {
        uint32_t bits = 0;
        for (size_t part = 0; part < 3; part++) {
            bits = bits << 8 | (index + part < length ? (unsigned char)bytes[index + part] : 0);
        }
        for (size_t part = 0; part < 4; part++) {
            bool is_padding = index + part > length;
            text->bytes[text->length++] = is_padding ? '=' : alphabet[bits >> (18 - 6 * part) & 63];
        }
    }
}

// One event, sent again and again with another id and deadline written over the last ones.
struct event {
    struct text text;
    size_t body;                   // where it begins
    char *ids[2], *deadline;
    uint64_t number;
};

static const char id_form[] = "8f5e2c1a-6b7d-4e3f-9a10-000000000000";
enum { id_length = sizeof id_form - 1 };

static void add_body(struct text *text, const struct scenario *scenario) {
    static const char agent[] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0";
    static const char domain[] = "q5w7e2r4t6y8u1i3o5p7a9s2d4f6g8h0.lambda-url.eu-central-1.on.aws";
    bool is_post = scenario->body == echo;
    const char *path = (const char *[]){"/hello", "/users/42", "/echo", "/stream"}[scenario->body];
    if (scenario->body == hello && path_override) path = path_override;
    char query[80] = "";
    if (scenario->body == stream) snprintf(query, sizeof query, "chunks=%zu&size=%zu", scenario->chunks, scenario->size);

    add(text, "{\"version\":\"2.0\",\"routeKey\":\"$default\",\"rawPath\":\"%s\",\"rawQueryString\":\"%s\",", path, query);
    add(text, "\"cookies\":[\"session=7d1f0c93a5b24e68\",\"theme=dark\"],\"headers\":{");
    add(text, "\"accept\":\"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\",");
    add(text, "\"accept-encoding\":\"gzip, deflate, br, zstd\",\"accept-language\":\"en-GB,en;q=0.9,de;q=0.8\",");
    add(text, "\"cache-control\":\"max-age=0\",\"cookie\":\"session=7d1f0c93a5b24e68; theme=dark\",\"host\":\"%s\",", domain);
    add(text, "\"priority\":\"u=0, i\",\"referer\":\"https://%s/\",", domain);
    add(text, "\"sec-ch-ua\":\"\\\"Chromium\\\";v=\\\"138\\\", \\\"Not)A;Brand\\\";v=\\\"8\\\"\",\"sec-ch-ua-mobile\":\"?0\",");
    add(text, "\"sec-ch-ua-platform\":\"\\\"Linux\\\"\",\"sec-fetch-dest\":\"document\",\"sec-fetch-mode\":\"navigate\",");
    add(text, "\"sec-fetch-site\":\"same-origin\",\"user-agent\":\"%s\",", agent);
    add(text, "\"x-amzn-tls-cipher-suite\":\"TLS_AES_128_GCM_SHA256\",\"x-amzn-tls-version\":\"TLSv1.3\",");
    add(text, "\"x-amzn-trace-id\":\"Root=1-68a1b2c3-1a2b3c4d5e6f708192a3b4c5\",\"x-forwarded-for\":\"203.0.113.24\",");
    add(text, "\"x-forwarded-port\":\"443\",");
    for (size_t index = 0; index < extra_headers; index++) add(text, "\"x-extra-%03zu\":\"some value of this header\",", index);
    if (is_post) add(text, "\"content-length\":\"%zu\",\"content-type\":\"application/octet-stream\",", scenario->bytes);
    add(text, "\"x-forwarded-proto\":\"https\"},");
    if (*query) {
        add(text, "\"queryStringParameters\":{\"chunks\":\"%zu\",\"size\":\"%zu\"},", scenario->chunks, scenario->size);
    }
    add(text, "\"requestContext\":{\"accountId\":\"anonymous\",\"apiId\":\"%.32s\",\"domainName\":\"%s\",", domain, domain);
    add(text, "\"domainPrefix\":\"%.32s\",\"http\":{\"method\":\"%s\",", domain, is_post ? "POST" : "GET");
    add(text, "\"path\":\"%s\",\"protocol\":\"HTTP/1.1\",\"sourceIp\":\"203.0.113.24\",\"userAgent\":\"%s\"},", path, agent);
    add(text, "\"requestId\":\"%s\",\"routeKey\":\"$default\",\"stage\":\"$default\",", id_form);
    add(text, "\"time\":\"17/Aug/2025:10:45:55 +0000\",\"timeEpoch\":1755427555123},");
    if (is_post) {
        add(text, "\"body\":\"");
        add_base64(text, echo_bytes, scenario->bytes);
        add(text, "\",");
    }
    add(text, "\"isBase64Encoded\":%s}", is_post ? "true" : "false");
}

// The length comes before the body in the message, so the body is written first and the whole moved together.
static void build_event(struct event *event, const struct scenario *scenario) {
    enum { room = 1024 };
    struct text *text = &event->text, body, head;
    text->length = 0;
    body = (struct text){text->bytes + room, 0, text->size - room};
    add_body(&body, scenario);
    if (body.length > event_limit) fail(NULL, "the event has %zu bytes, Lambda's limit is %d", body.length, event_limit);
    head = (struct text){text->bytes, 0, room};
    add(&head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: %s\r\n", id_form);
    add(&head, "Lambda-Runtime-Deadline-Ms: 0000000000000\r\n");
    add(&head, "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:benchmark\r\n");
    add(&head, "Lambda-Runtime-Trace-Id: Root=1-68a1b2c3-1a2b3c4d5e6f708192a3b4c5;Parent=4f6e7d8c9b0a1f2e;Sampled=0;");
    add(&head, "Lineage=1:5d3c7b1a:0\r\nDate: Sun, 17 Aug 2025 10:45:55 GMT\r\nContent-Length: %zu\r\n\r\n", body.length);
    memmove(text->bytes + head.length, body.bytes, body.length + 1);
    text->length = head.length + body.length;
    event->body = head.length;
    char *context = strstr(text->bytes + event->body, "\"requestContext\"");
    event->ids[0] = strstr(text->bytes, id_form);
    event->ids[1] = context ? strstr(context, id_form) : NULL;
    event->deadline = strstr(text->bytes, "Deadline-Ms: ");
    if (!event->ids[1] || !event->deadline) fail(NULL, "an event was built badly");
    event->deadline += 13;
}

static void renew(struct event *event) {
    uint64_t number = ++event->number, deadline = clock_ns(CLOCK_REALTIME) / 1000000 + 30000;
    for (int place = id_length - 1; place >= id_length - 12; place--, number >>= 4) {
        event->ids[0][place] = event->ids[1][place] = "0123456789abcdef"[number & 15];
    }
    for (int place = 12; place >= 0; place--, deadline /= 10) event->deadline[place] = (char)('0' + deadline % 10);
}

// --- processes

static void listen_for(struct program *program, char *variable, size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    program->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (program->listener < 0 || bind(program->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(program->listener, 64) != 0 || getsockname(program->listener, (struct sockaddr *)&address, &length) != 0) {
        fail(program, "cannot listen: %s", strerror(errno));
    }
    snprintf(variable, size, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d", ntohs(address.sin_port));
}

static bool pin_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= 0) CPU_SET(cpu, &set);
    return cpu < 0 || sched_setaffinity(0, sizeof set, &set) == 0;
}

// Runs in the parent's memory (vfork): system calls only.
__attribute__((noreturn)) static void become(const struct program *program, char *const environment[], int null, pid_t parent) {
    pin_to(program_cpu);
    int output = log_file >= 0 ? log_file : null;
    // A group of its own, so that what the program starts is stopped and killed with it.
    if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && dup2(null, 0) == 0 &&
        dup2(output, 1) == 1 && dup2(output, 2) == 2) {
        execve(program->path, (char *[]){(char *)program->path, NULL}, environment);
    }
    _exit(127);
}

// Returns when it was started.
static uint64_t start(struct program *program) {
    static char api[64], path[4096];
    char *environment[max_variables + 16] = {
        api, path, "AWS_LAMBDA_FUNCTION_NAME=benchmark", "_HANDLER=bootstrap", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/benchmark",
        "AWS_LAMBDA_LOG_STREAM_NAME=2025/08/17/[$LATEST]0f1e2d3c4b5a69788796a5b4c3d2e1f0", "AWS_REGION=eu-central-1",
        "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=INFO",
    };
    size_t count = 11;
    static int null = -1;
    if (null < 0) null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const char *search = getenv("PATH");
    snprintf(path, sizeof path, "PATH=%s", search ? search : "/usr/local/bin:/usr/bin:/bin");
    if (current->mode == streamed) environment[count++] = "AWS_LWA_INVOKE_MODE=response_stream";
    for (size_t index = 0; index < program->variable_count; index++) environment[count++] = program->variables[index];

    listen_for(program, api, sizeof api);
    for (size_t index = 0; index < max_connections; index++) program->connections[index] = (struct connection){.socket = -1};
    program->waiting = NULL;
    program->is_checked = false;
    pid_t parent = getpid();
    uint64_t started = now();
    // Not fork: it would copy the page tables of all our buffers, and that is not the program's time.
    pid_t child = vfork();
    if (child == 0) become(program, environment, null, parent);
    if (child < 0) fail(program, "cannot start it: %s", strerror(errno));
    program->pid = child;
    program->pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    if (program->pidfd < 0) fail(program, "pidfd_open: %s", strerror(errno));
    return started;
}

static void stop(struct program *program) {
    int status = 0;
    alarm(limit_seconds);
    kill(-program->pid, SIGSTOP);
    if (waitpid(program->pid, &status, WUNTRACED) != program->pid || !WIFSTOPPED(status)) {
        program->pid = 0;
        fail(program, "it ended between two rounds");
    }
    alarm(0);
}

static void end(struct program *program) {
    alarm(limit_seconds);
    kill(-program->pid, SIGKILL);
    waitpid(program->pid, NULL, 0);
    alarm(0);
    program->pid = 0;
    close(program->pidfd);
    close(program->listener);
    for (size_t index = 0; index < max_connections; index++) {
        if (program->connections[index].socket >= 0) close(program->connections[index].socket);
    }
}

static long status_field(const struct program *program, const char *field) {
    char path[64], line[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/status", program->pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, field, strlen(field)) == 0) value = atol(line + strlen(field));
    }
    if (file) fclose(file);
    return value;
}

// Files in the memory map with ".so" in their names; the parts of one file lie together.
static long libraries(const struct program *program) {
    char path[64], line[4400], last[4400] = "";
    long count = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", program->pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *name = strchr(line, '/');
        if (!name || !strstr(name, ".so") || strcmp(name, last) == 0) continue;
        strcpy(last, name);
        count++;
    }
    if (file) fclose(file);
    return count;
}

static void note_process(struct program *program) {
    program->result.hwm = status_field(program, "VmHWM:");
    program->result.rss = status_field(program, "VmRSS:");
    program->result.threads = status_field(program, "Threads:");
    program->result.libraries = libraries(program);
}

// --- connections

static char *buffer_of(struct program *program, struct connection *connection) {
    return buffers[connection - program->connections];
}

static void drop(struct connection *connection) {
    close(connection->socket);
    *connection = (struct connection){.socket = -1};
}

static void accept_one(struct program *program) {
    int accepted = accept4(program->listener, NULL, NULL, SOCK_CLOEXEC), on = 1;
    if (accepted < 0) return;
    struct timeval limit = {.tv_sec = limit_seconds};
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(accepted, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(accepted, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    program->result.connections++;
    for (size_t index = 0; index < max_connections; index++) {
        struct connection *connection = program->connections + index;
        if (connection->socket >= 0) continue;
        *connection = (struct connection){.socket = accepted};
        return;
    }
    fail(program, "it has more than %d connections open", max_connections);
}

// Appends what has come, `most` bytes at most. False at the end of the connection.
static bool fill(struct program *program, struct connection *connection, size_t most) {
    char *buffer = buffer_of(program, connection);
    if (connection->start == connection->end) connection->start = connection->end = 0;
    if (connection->end == buffer_size) {
        memmove(buffer, buffer + connection->start, connection->end - connection->start);
        connection->end -= connection->start;
        connection->start = 0;
    }
    size_t room = buffer_size - connection->end;
    if (room == 0) fail(program, "a head or a chunk line does not end");
    ssize_t got = recv(connection->socket, buffer + connection->end, room < most ? room : most, 0);
    if (got < 0 && errno == EAGAIN) fail(program, "no byte came for %d s in the middle of a message", limit_seconds);
    if (got <= 0) return false;
    connection->end += (size_t)got;
    return true;
}

static void must_fill(struct program *program, struct connection *connection, size_t most) {
    if (!fill(program, connection, most)) fail(program, "it closed the connection in the middle of a message");
}

struct request {
    struct connection *connection;
    enum { asks_next, responds, reports_error } kind;
    bool is_chunked, is_streaming, closes, has_length;
    size_t length;
};

static void send_all(struct program *program, struct connection *connection, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(connection->socket, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) fail(program, "it did not read for %d s", limit_seconds);
        if (sent < 0) fail(program, "it closed the connection while it was sent to: %s", strerror(errno));
        bytes += sent;
        length -= (size_t)sent;
    }
}

static struct request parse_head(
    struct program *program, struct connection *connection, size_t length, const struct event *event
) {
    char *head = buffer_of(program, connection) + connection->start, *last = head + length - 2;
    struct request request = {.connection = connection};
    if (strncmp(head, TEXT("GET /2018-06-01/runtime/invocation/next ")) == 0) {
        request.kind = asks_next;
    } else if (strncmp(head, TEXT("POST /2018-06-01/runtime/invocation/")) == 0) {
        const char *id = head + 36;
        if (!event || memcmp(id, event->ids[0], id_length) != 0) fail(program, "an answer under a wrong id: %.80s", head);
        request.kind = strncmp(id + id_length, TEXT("/response ")) == 0 ? responds : reports_error;
    } else if (strncmp(head, TEXT("POST /2018-06-01/runtime/init/error ")) == 0) {
        request.kind = reports_error;
    } else {
        fail(program, "an unknown request: %.*s", (int)strcspn(head, "\r\n"), head);
    }
    for (char *line = head; (line = (char *)memchr(line, '\n', length) + 1) < last;) {
        if (IS_FIELD(line, "content-length:")) request.length = strtoul(line + 15, NULL, 10), request.has_length = true;
        else if (IS_FIELD(line, "transfer-encoding: chunked")) request.is_chunked = true;
        else if (IS_FIELD(line, "connection: close")) request.closes = true;
        else if (IS_FIELD(line, "lambda-runtime-function-response-mode: streaming")) request.is_streaming = true;
    }
    connection->start += length;
    if (request.kind != reports_error) return request;
    const char *what = head[27] == 'i' ? "that its start failed" : "an error";  // init/…, invocation/…
    if (connection->start == connection->end) must_fill(program, connection, 4096);
    size_t came = connection->end - connection->start;
    if (request.has_length && request.length < came) came = request.length;
    fail(program, "it reported %s: %.*s", what, (int)came, buffer_of(program, connection) + connection->start);
}

// An app that reports is an extension, too: it registers, and asks once for an event that never comes. False for anything else.
static bool serve_extension(struct program *program, struct connection *connection, size_t length) {
    char *head = buffer_of(program, connection) + connection->start, *last = head + length - 2;
    size_t body = 0;
    if (strncmp(head, TEXT("POST /2020-01-01/extension/register ")) == 0) {
        for (char *line = head; (line = (char *)memchr(line, '\n', length) + 1) < last;) {
            if (IS_FIELD(line, "content-length:")) body = strtoul(line + 15, NULL, 10);
        }
        if (connection->end - connection->start < length + body) {
            must_fill(program, connection, 4096);
            return serve_extension(program, connection, length);
        }
        send_all(
            program, connection,
            TEXT("HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: 9a3c2f10-0000-4000-8000-000000000001\r\n"
                 "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"));
    } else if (strncmp(head, TEXT("GET /2020-01-01/extension/event/next ")) != 0) {
        return false;
    }
    connection->start += length + body;
    return true;
}

// Waits for the head of one request on whichever connection it comes.
static struct request receive_head(struct program *program, const struct event *event, const char *what) {
    while (true) {
        struct pollfd polled[max_connections + 2];
        struct connection *of[max_connections + 2];
        nfds_t count = 0;
        for (size_t index = 0; index < max_connections; index++) {
            struct connection *connection = program->connections + index;
            if (connection->socket < 0) continue;
            if (connection->end > connection->start) {
                char *head = buffer_of(program, connection) + connection->start;
                char *end = memmem(head, connection->end - connection->start, "\r\n\r\n", 4);
                size_t length = end ? (size_t)(end - head) + 4 : 0;
                if (end && !serve_extension(program, connection, length)) return parse_head(program, connection, length, event);
            }
            of[count] = connection;
            polled[count++] = (struct pollfd){.fd = connection->socket, .events = POLLIN};
        }
        nfds_t connections = count;
        polled[count++] = (struct pollfd){.fd = program->listener, .events = POLLIN};
        polled[count++] = (struct pollfd){.fd = program->pidfd, .events = POLLIN};
        int ready = poll(polled, count, limit_seconds * 1000);
        if (ready == 0) fail(program, "no %s for %d s", what, limit_seconds);
        if (ready < 0) fail(program, "poll: %s", strerror(errno));
        if (polled[connections].revents) accept_one(program);
        for (nfds_t index = 0; index < connections; index++) {
            if (polled[index].revents && !fill(program, of[index], buffer_size)) drop(of[index]);
        }
        // Looked at last: what it sent before its end counts.
        if (ready == 1 && polled[connections + 1].revents) fail(program, "it ended; %s was awaited", what);
    }
}

static void await_next(struct program *program, const struct event *event) {
    struct request request = receive_head(program, event, "GET next");
    if (request.kind != asks_next) fail(program, "it answered the same invocation twice");
    program->waiting = request.connection;
}

// --- replies

// What a reply brings. Of the first one all bytes are kept, of later ones the beginning.
static struct {
    char *bytes;
    size_t length, limit, total, data_chunks;
} reply;

static void read_plain(struct program *program, struct connection *connection, size_t count) {
    reply.total += count;
    while (count > 0) {
        size_t ahead = connection->end - connection->start, part = ahead < count ? ahead : count;
        size_t room = reply.limit - reply.length, kept = part < room ? part : room;
        memcpy(reply.bytes + reply.length, buffer_of(program, connection) + connection->start, kept);
        reply.length += kept;
        connection->start += part;
        count -= part;
        if (count >= worth_skipping && reply.length == reply.limit) {
            // MSG_TRUNC on TCP: the kernel drops the bytes without copying them, and WAITALL does so in one call.
            ssize_t got = recv(connection->socket, buffers[0], count, MSG_TRUNC | MSG_WAITALL);
            if (got <= 0) fail(program, "the rest of a long answer did not come");
            count -= (size_t)got;
        } else if (count > 0) {
            must_fill(program, connection, count < worth_skipping ? buffer_size : count);
        }
    }
}

// The next line without its end; valid until the next read.
static const char *read_line(struct program *program, struct connection *connection, size_t most) {
    size_t looked = 0;
    while (true) {
        char *from = buffer_of(program, connection) + connection->start;
        size_t length = connection->end - connection->start;
        char *end = memchr(from + looked, '\n', length - looked);
        if (end) {
            if (end == from || end[-1] != '\r') fail(program, "a chunk line that does not end with CRLF");
            end[-1] = 0;
            connection->start += (size_t)(end - from) + 1;
            return from;
        }
        looked = length;
        must_fill(program, connection, most);
    }
}

static void read_chunked(struct program *program, struct connection *connection) {
    size_t most = buffer_size;
    while (true) {
        const char *line = read_line(program, connection, most);
        size_t size = 0;
        int digits = 0;
        for (; *line && *line != ';'; line++, digits++) {
            int digit = *line <= '9' ? *line - '0' : (*line | 32) - 'a' + 10;
            if (digit < 0 || digit > 15 || digits == 8) fail(program, "a bad chunk size");
            size = size << 4 | (size_t)digit;
        }
        if (digits == 0) fail(program, "a chunk without a size");
        if (size == 0) break;
        reply.data_chunks++;
        read_plain(program, connection, size);
        // Of a large chunk's successor only the size is read: the rest is for MSG_TRUNC.
        most = size >= worth_skipping && reply.limit == peek ? 32 : buffer_size;
        if (*read_line(program, connection, most)) fail(program, "a chunk that is longer than it says");
    }
    const char *line = read_line(program, connection, most);
    if (*line) fail(program, "its stream ended with an error: %s", line);
}

// --- what a reply must say

// The two texts that are right: JSON objects have no order.
static struct text right_body(const struct scenario *scenario, bool swapped) {
    size_t size = scenario->body == echo ? scenario->bytes : scenario->body == stream ? scenario->chunks * scenario->size : 64;
    struct text text = {allocate(size + 1), size, size + 1};
    if (scenario->body == echo) memcpy(text.bytes, echo_bytes, size);
    if (scenario->body == stream) memset(text.bytes, 'x', size);
    const char *user = swapped ? "{\"name\":\"Ada Lovelace\",\"id\":\"42\"}" : "{\"id\":\"42\",\"name\":\"Ada Lovelace\"}";
    if (scenario->body == hello || scenario->body == users) {
        text.length = 0;
        add(&text, "%s", scenario->body == hello ? "Hello, World!" : user);
    }
    return text;
}

// As it must stand between the quotes of a buffered reply.
static struct text in_json(struct text plain, bool is_base64) {
    struct text text = {allocate(plain.length * 2 + 8), 0, plain.length * 2 + 8};
    if (is_base64) {
        add_base64(&text, plain.bytes, plain.length);
    } else {
        for (size_t index = 0; index < plain.length; index++) {
            if (plain.bytes[index] == '"') text.bytes[text.length++] = '\\';
            text.bytes[text.length++] = plain.bytes[index];
        }
    }
    free(plain.bytes);
    return text;
}

// Where the value of a key begins: keys with their quotes occur nowhere else, as quotes within strings are escaped.
static const char *value_of(struct program *program, const char *key) {
    const char *at = memmem(reply.bytes, reply.length, key, strlen(key));
    if (!at) fail(program, "a reply without %s: %.*s", key, shown(reply.length), reply.bytes);
    at += strlen(key);
    return at + strspn(at, ": ");
}

static void check_body(struct program *program) {
    const char *body, *end = reply.bytes + reply.length;
    bool is_base64 = false;
    if (current->mode == streamed) {
        body = memmem(reply.bytes, reply.length, "\0\0\0\0\0\0\0\0", 8);
        if (!body) fail(program, "a stream without the eight NULs after its prelude");
        body += 8;
    } else {
        if (reply.length > event_limit) fail(program, "a reply of %zu bytes, Lambda's limit is %d", reply.length, event_limit);
        body = value_of(program, "\"body\"") + 1;
        is_base64 = *value_of(program, "\"isBase64Encoded\"") == 't';
        for (end = body; *end != '"' && end < reply.bytes + reply.length; end++) end += *end == '\\';
    }
    size_t length = (size_t)(end - body), wanted = 0, same = 0;
    for (int swapped = 1; swapped >= 0 && !any_body; swapped--) {
        struct text right = right_body(current, swapped);
        if (current->mode == buffered) right = in_json(right, is_base64);
        bool is_right = length == right.length && memcmp(body, right.bytes, length) == 0;
        wanted = right.length;
        for (same = 0; !is_right && same < length && same < wanted && body[same] == right.bytes[same];) same++;
        free(right.bytes);
        if (is_right) return;
    }
    if (any_body) return;
    fail(program, "a wrong body: %zu bytes, should be %zu, different from byte %zu on: %.*s", length, wanted, same,
         shown(length - same), body + same);
}

static void check_first(struct program *program) {
    if (reply.total > reply.length) fail(program, "a reply of %zu bytes is too long to be checked", reply.total);
    reply.bytes[reply.length] = 0;
    const char *status = value_of(program, "\"statusCode\""), *key = memmem(reply.bytes, reply.length, TEXT("\"statusCode\""));
    if (strtol(status, NULL, 10) != 200) fail(program, "not status 200: %.*s", shown(reply.length), reply.bytes);
    // Behind a long body it is not within what is kept of later replies.
    snprintf(program->status, sizeof program->status, "%.*s", key - reply.bytes < peek / 2 ? (int)(status - key) + 3 : 0, key);
    check_body(program);
    program->is_checked = true;
    program->reply_bytes = program->result.reply_bytes = reply.total;
    program->result.data_chunks = reply.data_chunks;
}

static void check(struct program *program) {
    if (!program->is_checked) return check_first(program);
    if (reply.total != program->reply_bytes) {
        fail(program, "a reply of %zu bytes, the first one had %zu", reply.total, program->reply_bytes);
    }
    if (!memmem(reply.bytes, reply.length, program->status, strlen(program->status))) {
        fail(program, "not status 200: %.*s", shown(reply.length), reply.bytes);
    }
}

// --- measuring

#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nDate: Sun, 17 Aug 2025 10:45:55 GMT\r\n"
#define ACCEPTED_BODY "Content-Length: 16\r\n\r\n{\"status\":\"OK\"}\n"

struct timing {
    uint64_t reply, cycle;
};

// One invocation, from an idle program to an idle program.
static struct timing invoke(struct program *program, struct event *event) {
    struct timing timing;
    renew(event);
    reply.length = reply.total = reply.data_chunks = 0;
    reply.limit = program->is_checked ? peek : capture_size;
    uint64_t sent = now();
    send_all(program, program->waiting, event->text.bytes, event->text.length);
    struct request request = receive_head(program, event, "answer");
    if (request.kind != responds) fail(program, "it asked for the next event without an answer");
    if (request.is_streaming != (current->mode == streamed)) {
        fail(program, "a %s answer in a scenario of the other kind", request.is_streaming ? "streamed" : "buffered");
    }
    if (request.is_chunked) read_chunked(program, request.connection);
    else if (request.has_length) read_plain(program, request.connection, request.length);
    else fail(program, "an answer with neither Content-Length nor chunks");
    timing.reply = now() - sent;
    check(program);
    if (request.closes) {
        send_all(program, request.connection, TEXT(ACCEPTED "Connection: close\r\n" ACCEPTED_BODY));
        drop(request.connection);
    } else {
        send_all(program, request.connection, TEXT(ACCEPTED ACCEPTED_BODY));
    }
    await_next(program, event);
    timing.cycle = now() - sent;
    return timing;
}

// How much of the program's file is in the page cache.
static size_t bytes_in_memory(struct program *program, int file) {
    struct stat status;
    if (fstat(file, &status) != 0) fail(program, "cannot look at its file: %s", strerror(errno));
    size_t page = (size_t)sysconf(_SC_PAGESIZE), length = (size_t)status.st_size, bytes = 0;
    unsigned char *pages = allocate(length / page + 1);
    void *mapping = mmap(NULL, length, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapping == MAP_FAILED || mincore(mapping, length, pages) != 0) fail(program, "mincore: %s", strerror(errno));
    for (size_t index = 0; index * page < length; index++) bytes += (pages[index] & 1) * page;
    munmap(mapping, length);
    free(pages);
    return bytes;
}

// Takes the program's file out of the page cache, as on a machine that has never run it. What it links dynamically stays.
static void forget(struct program *program, int file) {
    if (fdatasync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) fail(program, "its file cannot be forgotten");
    size_t left = bytes_in_memory(program, file);
    if (left > 0) fail(program, "%zu bytes of its file stay in memory: somebody else runs it, or its file system has no disk", left);
}

static void measure_starts(struct program *program, size_t round) {
    int file = current->is_from_disk ? open(program->path, O_RDONLY | O_CLOEXEC) : -1;
    if (current->is_from_disk && file < 0) fail(program, "cannot open its file: %s", strerror(errno));
    size_t warm_up = round == 0 ? current->warm_up : 0;
    uint64_t cpu = 0;
    for (size_t index = 0; index < warm_up + current->count; index++) {
        if (current->is_from_disk) forget(program, file);
        uint64_t started = start(program);
        await_next(program, NULL);
        uint64_t ended = now();
        if (index >= warm_up) {
            cpu += cpu_ns(program);
            size_t place = round * current->count + index - warm_up;
            program->result.times[place] = ended - started;
            if (current->is_from_disk) program->result.cycles[place] = bytes_in_memory(program, file);
        }
        if (round + 1 == rounds && index + 1 == warm_up + current->count) note_process(program);
        end(program);
    }
    program->result.cpu[round] = cpu / current->count;
    if (file >= 0) close(file);
}

static void measure_round(struct program *program, struct event *event, size_t round) {
    size_t extra = round == 0 ? current->warm_up : current->count / 50 + 1;  // after a stop the caches are cold again
    kill(-program->pid, SIGCONT);
    for (size_t index = 0; index < extra; index++) invoke(program, event);
    uint64_t before = cpu_ns(program);
    for (size_t index = 0; index < current->count; index++) {
        struct timing timing = invoke(program, event);
        program->result.times[round * current->count + index] = timing.reply;
        program->result.cycles[round * current->count + index] = timing.cycle;
    }
    program->result.cpu[round] = (cpu_ns(program) - before) / current->count;
    if (round + 1 == rounds) note_process(program);
    stop(program);
}

static void run(struct event *event) {
    if (!current->is_start) build_event(event, current);
    for (size_t index = 0; index < program_count; index++) {
        struct program *program = programs + index;
        size_t size = rounds * current->count * sizeof(uint64_t);
        program->result = (struct measured){.times = allocate(size), .cycles = allocate(size)};
        if (current->is_start) continue;
        start(program);
        await_next(program, NULL);
        stop(program);
    }
    for (size_t round = 0; round < rounds; round++) {
        for (size_t index = 0; index < program_count; index++) {
            if (current->is_start) measure_starts(programs + index, round);
            else measure_round(programs + index, event, round);
        }
    }
    for (size_t index = 0; index < program_count; index++) {
        if (programs[index].pid > 0) end(programs + index);
    }
}

// --- figures

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// The nearest rank of sorted values.
static uint64_t quantile(const uint64_t *sorted, size_t count, double share) {
    size_t rank = (size_t)(share * (double)count + 0.999999);
    return sorted[rank == 0 ? 0 : rank - 1];
}

static void write_rounds(FILE *out, const char *key, const uint64_t *values, double share) {
    uint64_t *sorted = allocate(current->count * sizeof *sorted);
    fprintf(out, ", \"%s\": [", key);
    for (size_t round = 0; round < rounds; round++) {
        memcpy(sorted, values + round * current->count, current->count * sizeof *sorted);
        qsort(sorted, current->count, sizeof *sorted, ascending);
        fprintf(out, "%s%lu", round ? ", " : "", quantile(sorted, current->count, share));
    }
    fprintf(out, "]");
    free(sorted);
}

static void write_program(FILE *out, struct program *program) {
    struct measured *result = &program->result;
    size_t total = rounds * current->count;
    fprintf(out, "        {\"name\": \"%s\", \"path\": \"%s\"", program->name, program->path);
    write_rounds(out, "round_median_ns", result->times, 0.5);
    write_rounds(out, "round_p99_ns", result->times, 0.99);
    if (!current->is_start) write_rounds(out, "round_cycle_median_ns", result->cycles, 0.5);
    if (current->is_from_disk) write_rounds(out, "round_bytes_read", result->cycles, 0.5);
    fprintf(out, ", \"round_cpu_ns\": [");
    for (size_t round = 0; round < rounds; round++) fprintf(out, "%s%lu", round ? ", " : "", result->cpu[round]);
    fprintf(out, "]");
    uint64_t *sorted = result->times, sum = 0;
    qsort(sorted, total, sizeof *sorted, ascending);
    for (size_t index = 0; index < total; index++) sum += sorted[index];
    fprintf(out, ", \"p50_ns\": %lu, \"p90_ns\": %lu, \"p99_ns\": %lu", quantile(sorted, total, 0.5),
            quantile(sorted, total, 0.9), quantile(sorted, total, 0.99));
    fprintf(out, ", \"min_ns\": %lu, \"max_ns\": %lu, \"mean_ns\": %lu", sorted[0], sorted[total - 1], sum / total);
    fprintf(out, ", \"reply_bytes\": %zu, \"data_chunks\": %zu, \"connections\": %zu", result->reply_bytes, result->data_chunks,
            result->connections);
    fprintf(out, ", \"vm_hwm_kb\": %ld, \"vm_rss_kb\": %ld, \"threads\": %ld, \"libraries\": %ld}", result->hwm, result->rss,
            result->threads, result->libraries);
    free(result->times);
    free(result->cycles);
}

static void write_scenario(FILE *out, const struct event *event, bool is_first) {
    fprintf(out, "%s    {\"name\": \"%s\", \"mode\": \"%s\", \"count\": %zu, ", is_first ? "" : ",\n", current->name,
            current->mode == streamed ? "streamed" : "buffered", current->count);
    fprintf(out, "\"event_bytes\": %zu, \"stream_bytes\": %zu, \"programs\": [\n",
            current->is_start ? 0 : event->text.length - event->body, current->chunks * current->size);
    for (size_t index = 0; index < program_count; index++) {
        write_program(out, programs + index);
        fprintf(out, "%s\n", index + 1 < program_count ? "," : "");
    }
    fprintf(out, "      ]}");
}

// --- a long run of one program

// Where live.c, preloaded into the program, writes the heap's bytes in use. -1: the program has no LIVE_FILE.
static int open_live(const struct program *program) {
    for (size_t index = 0; index < program->variable_count; index++) {
        const char *variable = program->variables[index];
        if (strncmp(variable, TEXT("LIVE_FILE=")) != 0) continue;
        int file = open(variable + 10, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (file < 0) fail(program, "cannot write %s: %s", variable + 10, strerror(errno));
        return file;
    }
    return -1;
}

static bool is_asleep(const struct program *program) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/task", program->pid);
    DIR *tasks = opendir(path);
    bool is_asleep = tasks != NULL;
    for (struct dirent *task; is_asleep && (task = readdir(tasks));) {
        if (*task->d_name == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.16s/stat", program->pid, task->d_name);
        FILE *file = fopen(path, "re");
        if (!file) continue;  // it has just ended
        // "1234 (its name) S …": the name may have parentheses.
        char *name_end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        is_asleep = name_end && name_end[1] == ' ' && name_end[2] == 'S';
        fclose(file);
    }
    if (tasks) closedir(tasks);
    return is_asleep;
}

static void nap(const struct program *program, uint64_t limit, const char *what) {
    int is_over = poll(&(struct pollfd){.fd = program->pidfd, .events = POLLIN}, 1, 1);
    if (is_over > 0 || now() > limit) fail(program, "%s", what);
}

// Its GET next has come, but it may still be on its way from that write into its wait, and in malloc: then the handler would
// wait for the heap's lock forever. Asleep nobody holds the lock.
static uint64_t live_bytes(const struct program *program, int file) {
    static uint64_t last;
    uint64_t limit = now() + limit_seconds * 1000000000ull, read[2] = {0};
    while (!is_asleep(program)) nap(program, limit, "it does not sleep while it waits for an event");
    kill(program->pid, SIGUSR1);
    while (pread(file, read, sizeof read, 0) != sizeof read || read[1] == last) {
        nap(program, limit, "it does not tell its live bytes; is live.so in its LD_PRELOAD?");
    }
    last = read[1];
    return read[0];
}

static void write_sample(FILE *out, struct program *program, size_t done, uint64_t *times, size_t count, uint64_t cpu) {
    qsort(times, count, sizeof *times, ascending);
    long rss = status_field(program, "VmRSS:");
    uint64_t half = quantile(times, count, 0.5), most = quantile(times, count, 0.99);
    fprintf(out, "%s    {\"invocations\": %zu, \"vm_rss_kb\": %ld, ", done == 1 ? "" : ",\n", done, rss);
    fprintf(out, "\"p50_ns\": %lu, \"p99_ns\": %lu, \"cpu_ns\": %lu", half, most, cpu / count);
}

static void run_load(FILE *out, struct event *event) {
    struct program *program = programs;
    size_t interval = load >= 100 ? load / 100 : 1, count = 0;
    uint64_t *times = allocate(interval * sizeof *times);
    build_event(event, current);
    int live = open_live(program);
    start(program);
    await_next(program, NULL);
    fprintf(out, "  \"load\": {\"program\": \"%s\", \"scenario\": \"%s\", \"samples\": [\n", program->name, current->name);
    uint64_t before = cpu_ns(program);
    for (size_t done = 1; done <= load; done++) {
        times[count++] = invoke(program, event).reply;
        // The first one alone is a sample too: where the memory starts from.
        if (done != 1 && done % interval != 0 && done != load) continue;
        write_sample(out, program, done, times, count, cpu_ns(program) - before);
        if (live >= 0) fprintf(out, ", \"live_bytes\": %lu", live_bytes(program, live));
        fprintf(out, "}");
        before = cpu_ns(program);
        count = 0;
    }
    note_process(program);
    fprintf(out, "],\n    \"threads\": %ld, \"libraries\": %ld}\n", program->result.threads, program->result.libraries);
    end(program);
    if (live >= 0) close(live);
}

// --- the command line

static void usage(void) {
    fputs("driver --out FILE.json [--rounds R] --scenario NAME... --program NAME=PATH[,VARIABLE=VALUE...]...\n"
          "  --count SCENARIO=N  measured invocations per round\n"
          "  --load N            one program, one scenario, N invocations\n"
          "                      (with LD_PRELOAD=live.so,LIVE_FILE=F among its variables: the heap's live bytes too)\n"
          "  --path P            another path for hello\n"
          "  --headers K         as many more headers in each event\n"
          "  --any-body          any body with status 200 will do\n"
          "  --log FILE          the programs' output, appended\n"
          "  --cpus D,P          pins the driver and the programs\n"
          "scenarios:", stderr);
    for (size_t index = 0; index < scenario_count; index++) fprintf(stderr, " %s", scenarios[index].name);
    fputc('\n', stderr);
    exit(2);
}

static struct scenario *named(const char *name, size_t length) {
    for (size_t index = 0; index < scenario_count; index++) {
        struct scenario *scenario = scenarios + index;
        if (strlen(scenario->name) == length && strncmp(scenario->name, name, length) == 0) return scenario;
    }
    fail(NULL, "there is no scenario called %.*s", (int)length, name);
}

static size_t number(const char *text, size_t least, size_t most) {
    char *end;
    size_t value = strtoul(text, &end, 10);
    bool is_good = end != text && *end == 0 && value >= least && value <= most;
    if (!is_good) fail(NULL, "%s is not a number from %zu to %zu", text, least, most);
    return value;
}

static void add_program(char *argument) {
    struct program *program = programs + program_count;
    char *equals = strchr(argument, '='), *comma;
    if (!equals || program_count == max_programs) usage();
    program_count++;
    *equals = 0;
    program->name = argument;
    program->path = equals + 1;
    for (char *at = equals + 1; (comma = strchr(at, ',')); at = comma + 1) {
        *comma = 0;
        if (program->variable_count == max_variables || !strchr(comma + 1, '=')) usage();
        program->variables[program->variable_count++] = comma + 1;
    }
    if (strpbrk(argument, "\"\\") || strpbrk(program->path, "\"\\")) fail(NULL, "no quotes and backslashes in names and paths");
    if (access(program->path, X_OK) != 0) fail(NULL, "%s: cannot run %s: %s", program->name, program->path, strerror(errno));
}

int main(int argc, char *argv[]) {
    const char *out_path = NULL;
    const struct scenario *chosen[scenario_count];
    size_t chosen_count = 0;
    for (int index = 1; index < argc; index++) {
        char *option = argv[index], *value = NULL;
        if (strcmp(option, "--any-body") == 0) {
            any_body = true;
            continue;
        }
        if (index + 1 == argc || strncmp(option, "--", 2) != 0) usage();
        value = argv[++index];
        if (strcmp(option, "--out") == 0) out_path = value;
        else if (strcmp(option, "--rounds") == 0) rounds = number(value, 1, 1024);
        else if (strcmp(option, "--load") == 0) load = number(value, 1, 1000000000);
        else if (strcmp(option, "--path") == 0) path_override = value;
        else if (strcmp(option, "--headers") == 0) extra_headers = number(value, 0, 1000);
        else if (strcmp(option, "--program") == 0) add_program(value);
        else if (strcmp(option, "--cpus") == 0 && sscanf(value, "%d,%d", &driver_cpu, &program_cpu) == 2) continue;
        else if (strcmp(option, "--count") == 0 && strchr(value, '=')) {
            size_t length = strcspn(value, "=");
            named(value, length)->count = number(value + length + 1, 1, 100000000);
        } else if (strcmp(option, "--log") == 0) {
            log_file = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
            if (log_file < 0) fail(NULL, "cannot write %s: %s", value, strerror(errno));
        } else if (strcmp(option, "--scenario") == 0) {
            // `--scenario a b c`, as a shell list reads best, and repeated options too.
            for (;; value = argv[++index]) {
                if (chosen_count == scenario_count) usage();
                chosen[chosen_count++] = named(value, strlen(value));
                if (index + 1 == argc || strncmp(argv[index + 1], "--", 2) == 0) break;
            }
        } else {
            usage();
        }
    }
    if (!out_path || program_count == 0 || chosen_count == 0) usage();
    if (load > 0 && (program_count != 1 || chosen_count != 1 || chosen[0]->is_start)) {
        fail(NULL, "--load takes one program and one scenario");
    }

    signal(SIGALRM, watchdog);
    if (!pin_to(driver_cpu)) fail(NULL, "cannot pin to CPU %d: %s", driver_cpu, strerror(errno));
    reply.bytes = allocate(capture_size + 1);
    echo_bytes = allocate(4716000);
    uint32_t state = 2463534242;
    for (size_t index = 0; index < 4716000; index++) {
        state ^= state << 13, state ^= state >> 17, state ^= state << 5;  // xorshift32
        echo_bytes[index] = (char)(state >> 24);
    }
    struct event event = {.text = {.bytes = allocate(8 << 20), .size = 8 << 20}};
    memset(buffers, 1, sizeof buffers);

    FILE *out = fopen(out_path, "we");
    if (!out) fail(NULL, "cannot write %s: %s", out_path, strerror(errno));
    fprintf(out, "{\n  \"version\": 1, \"rounds\": %zu, \"extra_headers\": %zu,\n", rounds, extra_headers);
    if (load > 0) {
        current = chosen[0];
        run_load(out, &event);
    } else {
        fprintf(out, "  \"scenarios\": [\n");
        for (size_t index = 0; index < chosen_count; index++) {
            current = chosen[index];
            fprintf(stderr, "driver: %s\n", current->name);
            run(&event);
            write_scenario(out, &event, index == 0);
        }
        fprintf(out, "\n  ]\n");
    }
    fprintf(out, "}\n");
    if (fclose(out) != 0) fail(NULL, "cannot write %s: %s", out_path, strerror(errno));
    return 0;
}
