// An exception through frames, for the unwinder.
#include <cstdio>
#include <stdexcept>

__attribute__((noinline)) static void fall(int depth) {
    if (depth == 0) throw std::runtime_error("7");
    fall(depth - 1);
    std::puts("");
}

int main() {
    try {
        fall(9);
    } catch (const std::exception &error) {
        std::printf("caught %s\n", error.what());
    }
    return 0;
}
