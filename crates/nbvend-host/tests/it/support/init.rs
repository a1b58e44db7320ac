//! Makes this test program able to be a sandbox's first process, as the engine's is: asked for by the first argument,
//! before the test harness has started a thread.

extern "C" fn entry() {
    if std::env::args_os().nth(1).is_some_and(|word| word == nbvend_host::sandbox::WORD) {
        nbvend_host::sandbox::init_main();
    }
}

// SAFETY: the C library calls the functions of this section before `main`; this one needs nothing that `main` sets up
// (arguments are kept by the standard library in this section as well, with a higher priority).
#[used]
#[allow(unsafe_code)]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;
