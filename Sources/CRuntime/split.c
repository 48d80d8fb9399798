// `Collection.split(separator:)` of a collection, as linkers call it: a jump to Core's, see Collection+Split.swift. Weak: where a program has
// the standard library's own, for its regular expressions say, that one is taken.
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
__attribute__((weak, naked, visibility("hidden"))) void sluice_split_as_linked(void) __asm__(
    "$sSl17_StringProcessingSQ7ElementRpzrlE5split9separator9maxSplits25omittingEmptySubsequencesSay11SubSequenceQzGqd___SiSbtSlRd__"
    "ABQyd__ACRSlF");

// Not one argument is known here, and none is touched.
void sluice_split_as_linked(void) {
#if defined(__x86_64__)
    __asm__("jmp sluice_split@PLT");
#else
    __asm__("b sluice_split");
#endif
}
#endif
