import Foundation
import SluiceTestSupport
import Testing

/// What users write besides Sluice, in a package: Foundation, resources, libraries, symbols of a newer glibc.
@Suite(
    .serialized,
    .enabled(if: Packaged.canBeTried, "a root of its own takes Debian's dpkg, and root or user namespaces"))
struct PackedTests {
    /// Made once for all tests, as the other one.
    private static let made = Task { try await Packaged.make("Packed", in: "packed") }

    @Test("Foundation, a resource and mathematics, in an empty root", arguments: ["buffered", "response_stream"])
    func answers(_ mode: String) async throws {
        let root = try await Self.made.value.root(system: true)
        let local = try #require(try root.start(mode: mode))
        let answer = try #require(local.get("/uuid"))
        #expect(UUID(uuidString: answer.text) != nil, "\(answer.text) \(local.program.errors)")
        // Drawn from the system's generator.
        #expect(!answer.text.hasPrefix("00000000-"))
        #expect(local.get("/resource")?.text == "Hello from a file.\n")
        // The main actor and the main queue run on the main thread, in each invocation.
        for _ in 0..<3 { #expect(local.get("/main")?.text == "true true true", "\(local.program.errors)") }
        let mathematics = try #require(local.get("/mathematics?x=0.5")).text.split(separator: " ").compactMap { Double($0) }
        // To six places: what the functions are for decides, not who calculates.
        let expected = [
            2.061553, 0.5, 0.5, 2.061553, 0.5, 1.047198, 0.962424, 0.523599, 0.549306, 1.127626, 0.938470, 0.242268,
            -0.301030, 0.521095, 0.707107, 1.772454, -0.444519, -1.471472, 0.244979, 0.5, 0.030604, -5.441371, 0.572365,
            0.572365,
        ]
        #expect(mathematics.count == expected.count)
        for (found, expected) in zip(mathematics, expected) { #expect(abs(found - expected) < 0.000002) }
    }

    @Test("its arguments are known in a root without /proc")
    func arguments() async throws {
        let root = try await Self.made.value.root()
        let local = try #require(try root.start())
        #expect(local.get("/arguments")?.text == "/bootstrap", "\(local.program.errors)")
    }

    @Test("the zip has the resources beside bootstrap, and the local Lambda runs it in its folder: nothing else is found")
    func resources() async throws {
        let package = try await Self.made.value
        let names = ["bootstrap", "sluice_Packed.resources/greeting.txt", "END 0"]
        #expect(try await Packaged.run("unzip -Z1 '\(package.zip)'") == names)
        let folder = TemporaryFolder()
        #expect(try await Packaged.run("unzip -q '\(package.zip)' -d '\(folder.path)'") == ["END 0"])
        let program = ["SLUICE_LOCAL_PROGRAM": folder.path + "/bootstrap"]
        do {
            let local = try #require(try LocalProgram("Mirror", program))
            #expect(local.get("/resource")?.text == "Hello from a file.\n")
            #expect(local.get("/folder")?.text == "bootstrap sluice_Packed.resources")
        }
        // As on AWS, and not found where it was built.
        try FileManager.default.removeItem(atPath: folder.path + "/sluice_Packed.resources")
        let local = try #require(try LocalProgram("Mirror", in: folder, program))
        #expect(local.get("/resource")?.status == 502)
        #expect(local.program.errorLine(containing: "could not load resource bundle") != nil)
    }

    @Test("a library that Amazon Linux may lack is linked statically, and its name said")
    func libraries() async throws {
        let package = try await Self.made.value
        #expect(package.output.contains { $0.contains("libz.a is linked statically") }, "\(package.output)")
        #expect(package.output.contains { $0.hasPrefix("portable: bootstrap needs: ") && !$0.contains("libz") })
    }

    @Test("a symbol of a newer glibc and a library that is not there are told with who wants them")
    func told() async throws {
        let folder = TemporaryFolder()
        let lines = try await Packaged.run(
            """
            cd '\(folder.path)' && echo 'int layer(void) { return 1; }' >layer.c && \
            echo 'int layer(void), pidfd_open(int, unsigned); int main(void) { return layer() + pidfd_open(1, 0); }' >main.c && \
            clang -shared -fPIC layer.c -o liblayer.so -Wl,-soname,liblayer.so.3 && clang -c main.c && \
            clang -fuse-ld=lld main.o liblayer.so -o program && printf '%s\\n' "$PWD/main.o" "$PWD/liblayer.so" >linked && \
            { '\(Oracles.root)/scripts/portable' program --linked linked; echo "STATUS $?"; } && \
            '\(Oracles.root)/scripts/portable' program --shared-library=layer
            """)
        #expect(
            lines.contains { $0.contains("liblayer.so.3 is not on Amazon Linux 2023. Wanted: layer in main.o.") }, "\(lines)")
        #expect(lines.contains { $0.contains("GLIBC_2.36: ") && $0.contains("pidfd_open (wanted: pidfd_open in main.o)") })
        #expect(lines.contains("STATUS 1"))
        // What a layer brings is no failure.
        #expect(lines.filter { $0.contains("liblayer.so.3 is not") }.count == 1)
    }

    @Test("the functions of a newer glibc that a program carries do what glibc's do")
    func newerFunctions() async throws {
        let folder = TemporaryFolder()
        let root = Oracles.root
        let lines = try await Packaged.run(
            """
            clang -O2 -Wall -Wextra -Werror '\(root)/Tests/Package/newer.c' '\(root)/Sources/CRuntime/portable_libc.c' \
            '\(root)/scripts/portable_math.c' -fuse-ld=lld -lm -o '\(folder.path)/newer' && '\(folder.path)/newer'
            """)
        #expect(lines == ["newer: all as glibc's", "END 0"], "\(lines)")
    }

    @Test(
        "a program's own mathematics are taken, as an object and from an archive; and without a descriptor left it may still calculate"
    )
    func mathematics() async throws {
        let folder = TemporaryFolder()
        let root = Oracles.root
        let lines = try await Packaged.run(
            """
            cd '\(folder.path)'
            echo 'double sin(double x) { return x + 42; }' >own.c
            cat >main.c <<'MAIN'
            #include <math.h>
            #include <stdio.h>
            #include <sys/resource.h>
            #include <unistd.h>
            int main(void) {
                volatile double x = 10;
                struct rlimit limit = {64, 64};
                setrlimit(RLIMIT_NOFILE, &limit);
                while (dup(0) >= 0) {}
                return !(printf("%g %g\\n", sin(x), pow(2, x)) > 0);
            }
            MAIN
            clang -O2 -fno-builtin -fPIC -c own.c main.c && clang -O2 -c '\(root)/scripts/portable_math.c' -o stubs.o
            ar rcs libown.a own.o && ar rcs stubs stubs.o
            for own in own.o libown.a; do clang main.o $own stubs -fuse-ld=lld -o program && ./program </dev/null; done
            """)
        #expect(lines == ["52 1024", "52 1024", "END 0"], "\(lines)")
    }

    @Test("threads that calculate for the first time at once do, though one descriptor is kept for all of them")
    func mathematicsAtOnce() async throws {
        let folder = TemporaryFolder()
        let root = Oracles.root
        let lines = try await Packaged.run(
            """
            cd '\(folder.path)' && clang -O2 -fno-builtin -Wall -Wextra -Werror '\(root)/Tests/Package/calculates.c' \
            '\(root)/scripts/portable_math.c' -fuse-ld=lld -o calculates && \
            for run in $(seq 200); do ./calculates </dev/null || echo "run $run"; done
            """)
        #expect(lines == ["END 0"], "\(lines)")
    }

    @Test("a program whose symbols are bound at its start can be packaged", arguments: ["-pie", "-no-pie"])
    func boundNow(_ kind: String) async throws {
        let folder = TemporaryFolder()
        let lines = try await Packaged.run(
            """
            cd '\(folder.path)' && echo '#include <stdio.h>' >main.c && echo 'int main(void) { return puts("bound") < 0; }' >>main.c
            clang \(kind) main.c -fuse-ld=lld -Wl,-T'\(Oracles.root)/scripts/layout.ld' -Wl,-z,now -o program && ./program
            """)
        #expect(lines == ["bound", "END 0"], "\(lines)")
    }

    @Test("C++ that brings its unwinder along finds its way by our _dl_find_object, and asks no glibc for one")
    func unwinder() async throws {
        let folder = TemporaryFolder()
        let root = Oracles.root
        let lines = try await Packaged.run(
            """
            cd '\(folder.path)' && clang -O2 -c '\(root)/Sources/CRuntime/portable_libc.c' && \
            clang++ -O2 '\(root)/Tests/Package/throws.cpp' portable_libc.o -static-libgcc -static-libstdc++ -fuse-ld=lld -o throws && \
            ./throws && nm --dynamic throws | grep -c _dl_find_object
            """)
        #expect(lines == ["caught 7", "0", "END 1"], "\(lines)")
    }

    @Test("a program at a random address moves its addresses itself")
    func moves() async throws {
        // No relocation of the loader's is left but those that name a symbol.
        let package = try await Self.made.value
        let folder = TemporaryFolder()
        let lines = try await Packaged.run(
            """
            cd '\(folder.path)' && unzip -qo '\(package.zip)' && \
            readelf -h bootstrap | grep Type && readelf -rW bootstrap | grep -cE 'RELATIVE?' ; \
            readelf -SW bootstrap | grep -c '\\.relr\\.dyn'; \
            AWS_LAMBDA_RUNTIME_API=127.0.0.1:9 AWS_LAMBDA_FUNCTION_NAME=x ./bootstrap 2>&1 | grep -c 'the Runtime API is gone'
            """)
        #expect(lines.first?.contains("DYN") == true, "\(lines)")
        #expect(lines.dropFirst() == ["0", "1", "1", "END 0"], "\(lines)")
    }

    @Test("each address is moved once, near or far, and a constant is read-only again")
    func movedAddresses() async throws {
        let folder = TemporaryFolder()
        let root = Oracles.root
        let lines = try await Packaged.run(
            """
            clang -O2 -Wall -Wextra -Werror -fPIE -pie '\(root)/Tests/Vectors/moved.c' '\(root)/Sources/CRuntime/start.c' -fuse-ld=lld \
            -Wl,--pack-dyn-relocs=relr,--use-android-relr-tags,-e,sluice_start -o '\(folder.path)/moved' && '\(folder.path)/moved'
            """)
        #expect(
            lines == [
                "moved: 300 of 300 addresses are right, constructors too, constants are read-only, arguments too", "END 0",
            ], "\(lines)")
    }

    @Test("what moves a program's addresses reads none that is still to be moved")
    func movesByItself() async throws {
        let folder = TemporaryFolder()
        let lines = try await Packaged.run(
            "clang -O2 -fPIC -c '\(Oracles.root)/Sources/CRuntime/start.c' -o '\(folder.path)/start.o' && "
                + "readelf -rW '\(folder.path)/start.o' | grep -cE 'GOT|_DYNAMIC'")
        #expect(lines == ["0", "END 1"], "\(lines)")
    }

    @Test(
        "a program moves its addresses wherever it lies, finds no error of that, and what was read-only is so again",
        arguments: ["", "-Wl,--image-base=0x400000", "-Wl,-z,norelro", "-Wl,-z,now"])
    func movesAnywhere(_ option: String) async throws {
        let folder = TemporaryFolder()
        // As on a kernel that cannot populate.
        let old = """
            #include <errno.h>
            #include <stddef.h>
            int madvise(void *start, size_t size, int advice) { return errno = EINVAL, -1; }

            """
        let main = """
            #include <errno.h>
            #include <fcntl.h>
            #include <stdio.h>
            #include <unistd.h>
            static int it;
            int *const closed[] = {&it};
            const char *volatile word = "moved";
            int main(void) {
                int error = errno;
                int isClosed = closed[0] == &it && read(open("/dev/zero", O_RDONLY), (void *)closed, sizeof closed) < 0;
                return printf("%s %d %s\\n", word, error, isClosed ? "closed" : "open") < 0;
            }

            """
        try old.write(toFile: folder.path + "/old.c", atomically: true, encoding: .utf8)
        try main.write(toFile: folder.path + "/main.c", atomically: true, encoding: .utf8)
        let lines = try await Packaged.run(
            """
            cd '\(folder.path)' && clang -shared -fPIC old.c -o old.so && \
            clang -O2 -fPIC -pie main.c '\(Oracles.root)/Sources/CRuntime/start.c' -fuse-ld=lld -Wl,--pack-dyn-relocs=relr \
            -Wl,--use-android-relr-tags -Wl,-e,sluice_start \(option) -o program && LD_PRELOAD=./old.so ./program
            """)
        #expect(lines == ["moved 0 \(option.contains("norelro") ? "open" : "closed")", "END 0"], "\(lines)")
    }

    @Test("where somebody looks before a program's first step, the loader moves its addresses")
    func leavesMovesToTheLoader() async throws {
        let cases = [
            (
                name: "Thread", said: "variables of threads have first values",
                source: "_Thread_local const char *volatile word = \"early\";\nconst char *early(void) { return word; }\n"
            ),
            (
                name: "Before", said: "it has a .preinit_array",
                source: """
                static const char *word = "late";
                static void begin(int count, char **arguments, char **environment) { word = "early"; }
                __attribute__((section(".preinit_array"), used)) static void (*const first)(int, char **, char **) = begin;
                const char *early(void) { return word; }

                """
            ),
            (
                name: "Chosen", said: "it chooses functions when it is loaded",
                source: """
                static const char *found(void) { return "early"; }
                static const char *(*const volatile choices[])(void) = {found};
                static const char *(*choose(void))(void) { return choices[0]; }
                __attribute__((ifunc("choose"))) const char *early(void);

                """
            ),
            (
                name: "Memory", said: "libraries call its own malloc",
                source: """
                #include <stddef.h>
                #include <string.h>
                static char pool[16 << 20];
                static char *next = pool;
                void *malloc(size_t size) { char *it = next; next += (size + 31) & ~15ul; memcpy(it, &size, 8); return it + 16; }
                void free(void *it) {}
                void *calloc(size_t count, size_t size) { return malloc(count * size); }
                void *realloc(void *old, size_t size) {
                    void *it = malloc(size);
                    size_t before = 0;
                    if (old != NULL) memcpy(&before, (char *)old - 16, 8);
                    return memcpy(it, old != NULL ? old : it, before < size ? before : size);
                }
                const char *early(void) { return "early"; }

                """
            ),
        ]
        let folder = TemporaryFolder()
        let sources = folder.path + "/Sources"
        let manifest = """
            // swift-tools-version: 6.2
            import PackageDescription
            let package = Package(
                name: "own",
                targets: [.target(name: "CSluiceRuntime")] + \(cases.map(\.name)).flatMap { name -> [Target] in
                    [.target(name: "C" + name), .executableTarget(name: name, dependencies: ["CSluiceRuntime", .target(name: "C" + name)])]
                })
            """
        try FileManager.default.createDirectory(atPath: sources, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Oracles.root + "/Sources/CRuntime", toPath: sources + "/CSluiceRuntime")
        try manifest.write(toFile: folder.path + "/Package.swift", atomically: true, encoding: .utf8)
        // A library that is loaded in advance, and asks for memory at once.
        let advance =
            "#include <stdlib.h>\n__attribute__((constructor)) static void begin(void) { void *volatile it = malloc(8); (void)it; }\n"
        try advance.write(toFile: folder.path + "/advance.c", atomically: true, encoding: .utf8)
        _ = try await Packaged.run("cd '\(folder.path)' && clang -shared -fPIC advance.c -o advance.so")
        for (name, _, source) in cases {
            let early = sources + "/C\(name)"
            try FileManager.default.createDirectory(atPath: early + "/include", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: sources + "/" + name, withIntermediateDirectories: true)
            try "const char *early(void);\n".write(toFile: early + "/include/early.h", atomically: true, encoding: .utf8)
            try source.write(toFile: early + "/early.c", atomically: true, encoding: .utf8)
            try "import C\(name)\nprint(String(cString: early()))\n"
                .write(toFile: sources + "/\(name)/main.swift", atomically: true, encoding: .utf8)
        }
        for (name, said, _) in cases {
            let lines = try await Packaged.run(
                "'\(Oracles.root)/scripts/package' \(name) --package-path '\(folder.path)' --output '\(folder.path)' && "
                    + "cd '\(folder.path)' && unzip -qo \(name).zip -d \(name) && LD_PRELOAD=./advance.so ./\(name)/bootstrap; "
                    + "readelf -SW \(name)/bootstrap | grep -c '\\.relr\\.dyn'")
            #expect(lines.contains("early"), "\(lines.suffix(20))")
            #expect(lines.contains { $0.contains(said) }, "\(lines.suffix(20))")
            #expect(lines.suffix(2) == ["0", "END 1"])
        }
    }

    @Test("the package's own default traits stay on, but Local; its other files come along; a fixed address if asked for")
    func traits() async throws {
        let folder = TemporaryFolder()
        let manifest = """
            // swift-tools-version: 6.2
            import PackageDescription
            let package = Package(
                name: "own",
                traits: ["Local", "Loud", "Quick", "Off", .default(enabledTraits: ["Local", "Loud", "Quick"])],
                targets: [.executableTarget(name: "Own")])
            """
        let program = """
            print("traits:")
            #if Local
            print("Local")
            #endif
            #if Loud
            print("Loud")
            #endif
            #if Quick
            print("Quick")
            #endif
            #if Off
            print("Off")
            #endif
            """
        try FileManager.default.createDirectory(atPath: folder.path + "/Sources/Own", withIntermediateDirectories: true)
        try manifest.write(toFile: folder.path + "/Package.swift", atomically: true, encoding: .utf8)
        try program.write(toFile: folder.path + "/Sources/Own/main.swift", atomically: true, encoding: .utf8)
        try "style".write(toFile: folder.path + "/page.css", atomically: true, encoding: .utf8)
        let script = "'\(Oracles.root)/scripts/package' Own --package-path '\(folder.path)' --output '\(folder.path)'"
        let lines = try await Packaged.run(
            "\(script) --no-pie --include page.css && cd '\(folder.path)' && unzip -Z1 Own.zip | tr '\\n' ' ' && "
                + "unzip -qo Own.zip -d zip && ./zip/bootstrap | tr '\\n' ' ' && readelf -h zip/bootstrap | grep Type")
        let found = lines.first { $0.contains("traits:") } ?? "\(lines)"
        #expect(found.contains("bootstrap page.css traits: Loud Quick "), "\(found)")
        #expect(found.hasSuffix("EXEC (Executable file)"))
    }

    @Test(
        "another processor takes a Swift SDK, and its absence is said",
        arguments: [
            ("--arch mips", "--arch is x86_64 or arm64, not 'mips'"),
            ("--swift-sdk nobody-has-this", "no SDK 'nobody-has-this' is installed"),
            ("--include nothing", "there is no 'nothing' in the package"),
        ])
    func options(_ options: String, _ said: String) async throws {
        let lines = try await Packaged.run("'\(Oracles.root)/scripts/package' Hello \(options)")
        #expect(lines.last == "END 1")
        #expect(lines.contains { $0.contains(said) }, "\(lines)")
    }
}
