//! The real program, serving on a port that was free.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A server that ends with the value.
pub struct Program {
    process: Child,
    pub port: u16,
}

impl Program {
    /// Serves a run or a file of weights; waits until it is ready.
    pub fn start(program: &str, run: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.arg("serve").arg(run).args(["--port", "0", "--device", "cpu"]).args(options);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        // "Listening on http://127.0.0.1:35811; Ctrl-C stops"
        let port = lines.find_map(|line| {
            line.expect("text").split_once("Listening on http://127.0.0.1:")?.1.split(';').next()?.parse().ok()
        });
        Self { process, port: port.expect("it listens") }
    }

    /// Its number, for signals and for what the system knows of it.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().expect("a child")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing is left to end if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
