//! The targets: the systems that the README names first, then other processors,
//! then systems for which there is a row in a table and not much more.

#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    /// Whether the CI run checks it.
    pub(super) usual: bool,
    /// Whether tests and examples are checked too.
    pub(super) tests: bool,
}

impl Target {
    const fn with_tests(mut self) -> Target {
        self.tests = true;
        self
    }
}

const fn usual(name: &'static str) -> Target {
    Target {
        name,
        usual: true,
        tests: false,
    }
}

/// For `--all` alone: mostly what has no prebuilt standard library.
const fn further(name: &'static str) -> Target {
    Target {
        name,
        usual: false,
        tests: false,
    }
}

/// Not here, since their standard library does not compile with the libc crate
/// that it asks for: powerpc64-ibm-aix, armv6k-nintendo-3ds.
pub(super) const TARGETS: &[Target] = &[
    usual("x86_64-unknown-linux-gnu").with_tests(),
    usual("x86_64-pc-windows-gnu"),
    usual("x86_64-pc-windows-msvc"),
    usual("x86_64-apple-darwin"),
    usual("aarch64-apple-darwin").with_tests(),
    usual("aarch64-apple-ios"),
    usual("aarch64-apple-tvos"),
    usual("aarch64-apple-watchos"),
    usual("aarch64-apple-visionos"),
    usual("aarch64-linux-android"),
    usual("x86_64-unknown-freebsd").with_tests(),
    usual("x86_64-unknown-netbsd"),
    usual("x86_64-unknown-openbsd"),
    usual("x86_64-unknown-dragonfly"),
    usual("x86_64-unknown-illumos"),
    usual("x86_64-pc-solaris"),
    usual("wasm32-wasip1"),
    usual("wasm32-wasip2"),
    // Other processors and C libraries.
    usual("aarch64-unknown-linux-gnu"),
    usual("aarch64-unknown-linux-musl"),
    usual("armv7-unknown-linux-gnueabihf"),
    usual("i686-unknown-linux-gnu"),
    usual("i686-unknown-linux-musl"),
    usual("powerpc64-unknown-linux-gnu"),
    usual("powerpc64le-unknown-linux-gnu"),
    usual("riscv64gc-unknown-linux-gnu"),
    usual("s390x-unknown-linux-gnu"),
    usual("x86_64-unknown-linux-musl").with_tests(),
    usual("x86_64-linux-android"),
    usual("armv7-linux-androideabi"),
    usual("aarch64-pc-windows-msvc"),
    usual("i686-pc-windows-gnu"),
    usual("i686-pc-windows-msvc"),
    usual("x86_64-pc-windows-gnullvm"),
    usual("x86_64-unknown-fuchsia"),
    usual("x86_64-unknown-redox"),
    further("loongarch64-unknown-linux-gnu"),
    further("powerpc-unknown-linux-gnu"),
    further("x86_64-unknown-linux-gnux32"),
    further("arm-linux-androideabi"),
    further("arm64_32-apple-watchos"),
    further("aarch64-unknown-freebsd"),
    further("i686-unknown-freebsd"),
    further("sparcv9-sun-solaris"),
    further("x86_64-unknown-hermit"),
    further("x86_64-unknown-haiku"),
    further("i686-unknown-hurd-gnu"),
    further("x86_64-unknown-hurd-gnu"),
    further("x86_64-pc-cygwin"),
    further("x86_64-pc-nto-qnx710"),
    further("aarch64-unknown-nto-qnx710"),
    further("xtensa-esp32-espidf"),
    further("riscv32imc-esp-espidf"),
    further("armv7-sony-vita-newlibeabihf"),
    further("wasm32-unknown-emscripten"),
];
