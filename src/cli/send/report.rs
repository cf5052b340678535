//! What became of the events: a line each for a few, figures for many.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::Url;

use super::FEW;
use super::post::{Answer, Outcome, Unanswered};
use crate::cli::failure::Failure;
use crate::cli::output;

/// Gathers outcomes. How they were counts, whether or not somebody reads about it: `lectern send … | head -1` sends all.
pub(super) struct Report {
    url: Url,
    count: u64,
    bar: Option<ProgressBar>,
    /// By status; 0 where there was no answer.
    by_status: BTreeMap<u16, u64>,
    /// Microseconds.
    latencies: Histogram<u64>,
    /// The first event that was not answered 200, and how it ended.
    first_failure: Option<String>,
}

impl Report {
    pub(super) fn new(url: &Url, count: u64) -> Self {
        let bar = (count > FEW).then(|| {
            let style =
                ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {per_sec}, {eta} left");
            // Without a terminal, indicatif draws nothing. 10 pictures a second cost next to nothing.
            ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr_with_hz(10))
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        // One microsecond to a minute, to three digits: these bounds are fixed, and valid.
        let latencies = Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are valid");
        let url = url.clone();
        Self { url, count, bar, by_status: BTreeMap::new(), latencies, first_failure: None }
    }

    /// Takes in an outcome. Fails when it shows that nobody listens: the rest would say the same.
    pub(super) fn add(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        if let Err(Unanswered { is_unreachable: true, why }) = &outcome.answer
            && self.answered() == 0
        {
            return Err(Failure::failed(self.nobody_there(why)));
        }
        let status = outcome.answer.as_ref().map_or(0, |answer| answer.status);
        *self.by_status.entry(status).or_default() += 1;
        self.latencies.saturating_record(u64::try_from(outcome.latency.as_micros()).unwrap_or(u64::MAX));
        if self.first_failure.is_none() {
            self.first_failure = failed(outcome).map(|how| format!("{} {how}", outcome.name));
        }
        match &self.bar {
            Some(bar) => bar.inc(1),
            None => output::line_if_read(line(outcome))?,
        }
        Ok(())
    }

    /// Prints the figures of many. Fails unless every event was answered 200.
    pub(super) fn finish(self, elapsed: Duration) -> Result<(), Failure> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            output::line_if_read(self.summary(elapsed))?;
        }
        let sent: u64 = self.by_status.values().sum();
        let failed = sent - self.by_status.get(&200).copied().unwrap_or(0);
        if let Some(first) = self.first_failure {
            let how_many = if sent == 1 {
                String::new()
            } else {
                format!("{failed} of {sent} events were not accepted; first, ")
            };
            return Err(Failure::failed(format!("{how_many}{first}")));
        }
        if sent < self.count {
            return Err(Failure::failed(format!("stopped after {sent} of {} events", self.count)));
        }
        Ok(())
    }

    fn answered(&self) -> u64 {
        self.by_status.iter().filter(|(status, _)| **status != 0).map(|(_, count)| count).sum()
    }

    fn nobody_there(&self, why: &str) -> String {
        format!(
            "no server answers at {} ({why}): start one with `lectern`, or say where it is with --to",
            self.url
        )
    }

    fn summary(&self, elapsed: Duration) -> String {
        let sent: u64 = self.by_status.values().sum();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = sent as f64 / elapsed.as_secs_f64().max(1e-9);
        let mut text = format!("sent     {sent} in {}, {rate:.0} a second\nanswers ", shown(elapsed));
        for (status, count) in &self.by_status {
            let _ = match status {
                0 => write!(text, " none: {count}"),
                status => write!(text, " {status}: {count}"),
            };
        }
        text.push_str("\nlatency ");
        for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)] {
            let value = Duration::from_micros(self.latencies.value_at_quantile(quantile));
            let _ = write!(text, " {name} {} ", shown(value));
        }
        text.truncate(text.trim_end().len());
        text
    }
}

fn line(outcome: &Outcome) -> String {
    let Outcome { name, answer, latency } = outcome;
    let (status, what) = match answer {
        Ok(Answer { status, receipt: Some(receipt), .. }) => {
            (status.to_string(), format!("{:<9} {}", receipt.status, receipt.id))
        }
        Ok(Answer { status, problem, .. }) => (status.to_string(), problem.clone()),
        Err(Unanswered { why, .. }) => ("-".to_owned(), why.clone()),
    };
    format!("{name:<27} {status:>3}  {what}  {}", shown(*latency))
}

/// How an event ended that was not answered 200.
fn failed(outcome: &Outcome) -> Option<String> {
    match &outcome.answer {
        Ok(answer) if answer.is_success() => None,
        Ok(Answer { status: 401, problem, .. }) => {
            Some(format!("was answered 401, {problem} (signed with another secret than the server's?)"))
        }
        Ok(Answer { status, problem, .. }) if problem.is_empty() => Some(format!("was answered {status}")),
        Ok(Answer { status, problem, .. }) => Some(format!("was answered {status}, {problem}")),
        Err(Unanswered { why, .. }) => Some(format!("was not answered: {why}")),
    }
}

/// A duration as people compare them, to three digits or so.
fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match duration.as_micros() {
        0..1_000 => format!("{:.0} µs", seconds * 1e6),
        1_000..100_000 => format!("{:.1} ms", seconds * 1e3),
        100_000..1_000_000 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}
