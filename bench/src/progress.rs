//! How far a long run is: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress {
    /// `None` where nobody would see it move.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// `steps`: how often `tick` will be called.
    pub(crate) fn new(steps: usize) -> Progress {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(steps as u64);
            let template = "{bar:30} {percent:>3} % {elapsed} of {duration}  {msg}";
            // The template is a constant, and a wrong one costs only the looks.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Progress { bar }
    }

    /// A case begins.
    pub(crate) fn begin(&self, case: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(case.to_owned()),
            None => eprintln!("running {case}"),
        }
    }

    pub(crate) fn tick(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| println!("{line}")),
            None => println!("{line}"),
        }
    }

    pub(crate) fn finish(self) -> Duration {
        self.bar.map_or(Duration::ZERO, |bar| {
            bar.finish_and_clear();
            bar.elapsed()
        })
    }
}
