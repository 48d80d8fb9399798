#include "CSluiceLibcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <zlib.h>

// zlib comes with libcurl, which needs it too: nothing is linked.
static int (*init)(z_stream *, int, int, int, int, int, const char *, int);
static int (*run)(z_stream *, int);
static int (*end)(z_stream *);

static void load(void) {
    void *library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return;
    void *found[3] = {dlsym(library, "deflateInit2_"), dlsym(library, "deflate"), dlsym(library, "deflateEnd")};
    if (found[0] == NULL || found[1] == NULL || found[2] == NULL) return;
    memcpy(&init, &found[0], sizeof init);
    memcpy(&run, &found[1], sizeof run);
    memcpy(&end, &found[2], sizeof end);
}

size_t sluice_gzip(const uint8_t *bytes, size_t length, uint8_t *out, size_t room) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (end == NULL) return 0;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    // 15 + 16: a gzip header, not zlib's own.
    if (init(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, (int)sizeof stream) != Z_OK)
        return 0;
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    int code = run(&stream, Z_FINISH);
    size_t written = stream.total_out;
    end(&stream);
    return code == Z_STREAM_END ? written : 0;
}
