// libcurl, loaded with dlopen when the first report is due: linked in any way it would cost every start. Its calls with
// variable arguments cannot be made from Swift, hence these.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Loads libcurl once. 0, or -1 where no usable one is found; `sluice_curl_problem` then says why.
int sluice_curl_load(void);
const char *sluice_curl_problem(void);

/// One connection pool, used from one thread.
typedef struct sluice_curl sluice_curl;

struct sluice_curl_request {
    const char *url;
    /// Null-terminated array of `Name: value`.
    const char *const *headers;
    const uint8_t *body;
    size_t body_length;
    /// Without it libcurl may send the body again over a fresh connection when a kept one turns out dead.
    int at_most_once;
    /// Null for the system's authorities.
    const char *ca_file;
    /// Null for the environment's proxy settings, empty for none.
    const char *proxy;
    const char *user_agent;
    /// A response header to keep beside `Retry-After`; null for none.
    const char *limits_header;
    long timeout_ms;
    long connect_timeout_ms;
};

struct sluice_curl_response {
    /// 0 where a status was received.
    int code;
    long status;
    /// Whether any byte of the request had left.
    int was_sent;
    char rate_limits[1024];
    char retry_after[128];
    char problem[256];
};

sluice_curl *sluice_curl_new(void);
void sluice_curl_free(sluice_curl *curl);

/// Starts a request; strings and body must stay valid until it is over. 0 or a CURLcode.
int sluice_curl_begin(sluice_curl *curl, const struct sluice_curl_request *request);

/// Works on it for up to `timeout_ms`, or until `wake_fd` is readable. 1 when it is over and `response` is filled, 0 while not.
int sluice_curl_step(sluice_curl *curl, int wake_fd, int timeout_ms, struct sluice_curl_response *response);

/// The first 4096 bytes of the last response's body, until the next request begins.
const uint8_t *sluice_curl_body(const sluice_curl *curl, size_t *length);

/// Ends what is under way, its connection too. Whether any byte of the request had left.
int sluice_curl_abort(sluice_curl *curl);

/// Compresses in gzip's format. The size, or 0 where it does not fit into `room` or zlib is not there.
size_t sluice_gzip(const uint8_t *bytes, size_t length, uint8_t *out, size_t room);

#ifdef __cplusplus
}
#endif
