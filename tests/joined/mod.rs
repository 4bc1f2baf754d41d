//! Trials that touch drivers, each on a thread that has ended with all that it kept before the process exits.
//!
//! Drivers keep memory of their own for each thread, which the thread frees as it ends. libtest-mimic waits for what its
//! threads do, not for their end; a process that exits meanwhile unloads the drivers below them and is aborted ("double
//! free") now and then.

use libtest_mimic::{Failed, Trial};

/// A trial on a thread that is waited for.
pub fn trial(name: impl Into<String>, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    let joined = || std::thread::spawn(test).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Trial::test(name, joined)
}
