#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CSluiceLibcurl.h"

#define CURL_DISABLE_TYPECHECK 1
#include <ctype.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// The functions that are used, found by name.
static struct {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_reset) *easy_reset;
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_multi_init) *multi_init;
    __typeof__(curl_multi_cleanup) *multi_cleanup;
    __typeof__(curl_multi_add_handle) *multi_add_handle;
    __typeof__(curl_multi_remove_handle) *multi_remove_handle;
    __typeof__(curl_multi_perform) *multi_perform;
    __typeof__(curl_multi_poll) *multi_poll;
    __typeof__(curl_multi_info_read) *multi_info_read;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
} api;

static int state;  // 0 not tried, 1 loaded, -1 failed
static char problem[256];

static int find(void *library, const char *name, void *slot) {
    void *symbol = dlsym(library, name);
    if (symbol == NULL) {
        snprintf(problem, sizeof problem, "libcurl has no %s: 7.66 or later is needed", name);
        return -1;
    }
    memcpy(slot, &symbol, sizeof symbol);
    return 0;
}

static int load(void) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
    void *library = NULL;
    for (int i = 0; names[i] != NULL && library == NULL; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(problem, sizeof problem, "libcurl cannot be loaded: %s", reason ? reason : "no libcurl.so.4");
        return -1;
    }
#define FIND(name) if (find(library, "curl_" #name, &api.name) != 0) return -1
    FIND(global_init);
    FIND(easy_init);
    FIND(easy_cleanup);
    FIND(easy_reset);
    FIND(easy_setopt);
    FIND(easy_getinfo);
    FIND(easy_strerror);
    FIND(multi_init);
    FIND(multi_cleanup);
    FIND(multi_add_handle);
    FIND(multi_remove_handle);
    FIND(multi_perform);
    FIND(multi_poll);
    FIND(multi_info_read);
    FIND(slist_append);
    FIND(slist_free_all);
#undef FIND
    // OpenSSL's own clean-up at exit would crash a program that ends while this thread initialises it, and there is nothing to
    // clean: the first call decides. Other TLS libraries have no such function. (OPENSSL_INIT_NO_ATEXIT, 1.1.1b and later.)
    int (*openssl)(uint64_t, const void *) = (int (*)(uint64_t, const void *))dlsym(library, "OPENSSL_init_crypto");
    if (openssl) openssl(0x00080000, NULL);
    if (api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(problem, sizeof problem, "libcurl cannot be initialised");
        return -1;
    }
    return 0;
}

static void load_once(void) { state = load() == 0 ? 1 : -1; }

int sluice_curl_load(void) {
    // Two clients may start at once, each on its own thread.
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_once);
    return state == 1 ? 0 : -1;
}

const char *sluice_curl_problem(void) { return problem; }

struct sluice_curl {
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    int is_running;
    const char *limits_header;
    uint8_t kept[4096];
    size_t kept_length;
    const uint8_t *body;
    size_t left;
    struct sluice_curl_response response;
    char error[CURL_ERROR_SIZE];
};

sluice_curl *sluice_curl_new(void) {
    if (state != 1) return NULL;
    sluice_curl *curl = calloc(1, sizeof *curl);
    if (curl == NULL) return NULL;
    curl->multi = api.multi_init();
    curl->easy = api.easy_init();
    if (curl->multi == NULL || curl->easy == NULL) {
        sluice_curl_free(curl);
        return NULL;
    }
    return curl;
}

static void finish(sluice_curl *curl) {
    if (curl->is_running) api.multi_remove_handle(curl->multi, curl->easy);
    curl->is_running = 0;
    api.slist_free_all(curl->headers);
    curl->headers = NULL;
}

void sluice_curl_free(sluice_curl *curl) {
    if (curl == NULL) return;
    finish(curl);
    if (curl->easy != NULL) api.easy_cleanup(curl->easy);
    if (curl->multi != NULL) api.multi_cleanup(curl->multi);
    free(curl);
}

static size_t read_body(char *buffer, size_t size, size_t count, void *context) {
    sluice_curl *curl = context;
    size_t room = size * count, taken = curl->left < room ? curl->left : room;
    memcpy(buffer, curl->body, taken);
    curl->body += taken;
    curl->left -= taken;
    return taken;
}

// The body is read to its end, so that the connection can be used again. Its beginning is kept: the status decides as a rule, but not
// for every server.
static size_t keep_body(char *data, size_t size, size_t count, void *context) {
    sluice_curl *curl = context;
    size_t length = size * count, room = sizeof curl->kept - curl->kept_length;
    if (length < room) room = length;
    memcpy(curl->kept + curl->kept_length, data, room);
    curl->kept_length += room;
    return length;
}

const uint8_t *sluice_curl_body(const sluice_curl *curl, size_t *length) {
    *length = curl->kept_length;
    return curl->kept;
}

static void keep(char *into, size_t room, const char *value, size_t length) {
    while (length > 0 && isspace((unsigned char)*value)) value++, length--;
    while (length > 0 && isspace((unsigned char)value[length - 1])) length--;
    size_t used = strlen(into);
    // Header lines of one name are one list.
    if (used > 0 && used + 1 < room) into[used++] = ',';
    if (length > room - 1 - used) length = room - 1 - used;
    memcpy(into + used, value, length);
    into[used + length] = 0;
}

static size_t read_header(char *line, size_t size, size_t count, void *context) {
    sluice_curl *curl = context;
    size_t length = size * count;
    static const char retry[] = "retry-after:";
    const char *limits = curl->limits_header;
    size_t named = limits == NULL ? 0 : strlen(limits);
    if (length > 5 && strncasecmp(line, "HTTP/", 5) == 0) {
        // Another response begins: what a 1xx or a dead connection said does not count.
        curl->response.rate_limits[0] = curl->response.retry_after[0] = 0;
    } else if (named > 0 && length > named && line[named] == ':' && strncasecmp(line, limits, named) == 0) {
        // Present but empty is not absent: it overrides Retry-After.
        if (curl->response.rate_limits[0] == 0) strcpy(curl->response.rate_limits, " ");
        keep(curl->response.rate_limits, sizeof curl->response.rate_limits, line + named + 1, length - named - 1);
    } else if (length >= sizeof retry - 1 && strncasecmp(line, retry, sizeof retry - 1) == 0) {
        keep(curl->response.retry_after, sizeof curl->response.retry_after, line + sizeof retry - 1, length - sizeof retry + 1);
    }
    return length;
}

int sluice_curl_begin(sluice_curl *curl, const struct sluice_curl_request *request) {
    finish(curl);
    api.easy_reset(curl->easy);
    memset(&curl->response, 0, sizeof curl->response);
    curl->limits_header = request->limits_header;
    curl->kept_length = 0;
    curl->error[0] = 0;
    curl->body = request->body;
    curl->left = request->body_length;
    CURL *easy = curl->easy;
    CURLcode code = CURLE_OK;
#define SET(option, value) if (code == CURLE_OK) code = api.easy_setopt(easy, CURLOPT_##option, value)
    SET(URL, request->url);
    SET(POST, 1L);
    if (request->at_most_once) {
        // A body that libcurl cannot rewind is a body that it cannot send twice.
        SET(READFUNCTION, read_body);
        SET(READDATA, curl);
    } else {
        SET(POSTFIELDS, request->body);
    }
    SET(POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    SET(WRITEFUNCTION, keep_body);
    SET(WRITEDATA, curl);
    SET(HEADERFUNCTION, read_header);
    SET(HEADERDATA, curl);
    SET(ERRORBUFFER, curl->error);
    SET(NOSIGNAL, 1L);
    SET(FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
    // Without it the end of a request waits for a resolver thread that hangs. An older library does not know it.
    api.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
#if LIBCURL_VERSION_NUM >= 0x075500
    if (code == CURLE_OK && api.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
#endif
    {
        // Amazon Linux's may be older than the header that this was built with.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        SET(PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#pragma GCC diagnostic pop
    }
    SET(SSL_VERIFYPEER, 1L);
    SET(SSL_VERIFYHOST, 2L);
    SET(TCP_NODELAY, 1L);
    SET(TIMEOUT_MS, request->timeout_ms);
    SET(CONNECTTIMEOUT_MS, request->connect_timeout_ms);
    if (request->ca_file != NULL) SET(CAINFO, request->ca_file);
    if (request->proxy != NULL) SET(PROXY, request->proxy);
    if (request->user_agent != NULL) SET(USERAGENT, request->user_agent);
#undef SET
    for (size_t i = 0; code == CURLE_OK && request->headers[i] != NULL; i++) {
        struct curl_slist *more = api.slist_append(curl->headers, request->headers[i]);
        if (more == NULL) code = CURLE_OUT_OF_MEMORY;
        else curl->headers = more;
    }
    if (code == CURLE_OK) code = api.easy_setopt(easy, CURLOPT_HTTPHEADER, curl->headers);
    if (code == CURLE_OK && api.multi_add_handle(curl->multi, easy) != CURLM_OK) code = CURLE_FAILED_INIT;
    if (code == CURLE_OK) curl->is_running = 1;
    return (int)code;
}

static int was_sent(sluice_curl *curl) {
    long sent = 0;
    api.easy_getinfo(curl->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0;
}

static void conclude(sluice_curl *curl, CURLcode code) {
    struct sluice_curl_response *response = &curl->response;
    api.easy_getinfo(curl->easy, CURLINFO_RESPONSE_CODE, &response->status);
    response->was_sent = was_sent(curl);
    response->code = (int)code;
    if (code != CURLE_OK)
        snprintf(response->problem, sizeof response->problem, "%s", curl->error[0] ? curl->error : api.easy_strerror(code));
}

int sluice_curl_step(sluice_curl *curl, int wake_fd, int timeout_ms, struct sluice_curl_response *response) {
    int running = 0;
    CURLMcode code = api.multi_perform(curl->multi, &running);
    if (code == CURLM_OK && running > 0) {
        struct curl_waitfd wake = {.fd = wake_fd, .events = CURL_WAIT_POLLIN};
        code = api.multi_poll(curl->multi, &wake, wake_fd >= 0 ? 1 : 0, timeout_ms, NULL);
        if (code == CURLM_OK) code = api.multi_perform(curl->multi, &running);
    }
    if (code != CURLM_OK) {
        conclude(curl, CURLE_FAILED_INIT);
    } else {
        int left;
        CURLMsg *message = api.multi_info_read(curl->multi, &left);
        if (message == NULL || message->msg != CURLMSG_DONE) return 0;
        conclude(curl, message->data.result);
    }
    *response = curl->response;
    finish(curl);
    return 1;
}

int sluice_curl_abort(sluice_curl *curl) {
    int sent = was_sent(curl);
    finish(curl);
    return sent;
}
