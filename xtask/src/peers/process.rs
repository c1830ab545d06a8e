//! A peer: one long-lived process that answers one JSON line for each that it reads.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::Result;

/// Environment variables that tell a library its number of threads.
const THREADS: [&str; 5] =
    ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MATMUL_NUM_THREADS", "NPROC"];

/// A running peer.
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) rows: Vec<String>,
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a peer and reads its hello.
    pub(super) fn start(mut program: Command, threads: usize) -> Result<Peer> {
        let name = program_name(&program);
        program.args(["--threads", &threads.to_string()]);
        for name in THREADS {
            program.env(name, threads.to_string());
        }
        let started = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|e| format!("cannot start {name}: {e}"))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a piped output"));
        let mut peer = Peer { name, version: String::new(), rows: Vec::new(), child, requests, answers };
        let hello = peer.read()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        peer.name = text(&hello["peer"]);
        peer.version = text(&hello["version"]);
        peer.rows = hello["rows"].as_array().into_iter().flatten().map(text).collect();
        Ok(peer)
    }

    /// Writes a request and waits for its answer.
    pub(super) fn ask(&mut self, request: &Value) -> Result<Value> {
        let requests = self.requests.as_mut().expect("open until the peer is dropped");
        writeln!(requests, "{request}").map_err(|e| format!("{} does not listen: {e}", self.name))?;
        let answer = self.read()?;
        match answer["error"].as_str() {
            Some(error) => Err(format!("{} cannot answer {request}: {error}", self.name).into()),
            None => Ok(answer),
        }
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            return Err(format!("{} stopped without an answer ({status})", self.name).into());
        }
        serde_json::from_str(&line)
            .map_err(|e| format!("{} wrote a line that is no JSON ({e}): {}", self.name, line.trim()).into())
    }
}

impl Drop for Peer {
    /// A peer ends when its input does.
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.child.wait();
    }
}

/// The script that an interpreter is to run, else the program itself.
fn program_name(program: &Command) -> String {
    program.get_args().next().unwrap_or(program.get_program()).to_string_lossy().into_owned()
}
