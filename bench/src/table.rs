//! Results for people: a table of ratios, and what the goals say of them.

use crate::measure::{Outcome, Standing, REFERENCE};

/// What this crate promises in its default build, as ratios to the reference.
const GOALS: [(&str, f64); 5] = [
    ("wake/pending", 0.01),
    ("wake/and-poll", 0.23),
    ("wake/16-and-poll", 0.03),
    ("accept/burst-600", 0.06),
    ("timeout/50us", 0.13),
];

pub(crate) fn heading() -> String {
    format!(
        "{:24} {:>17}  {:22}  {:22}  {:22}",
        "median (ratio [quarters])", "mio", "ours", "polling", "raw epoll"
    )
}

pub(crate) fn row(outcome: &Outcome) -> String {
    let reference = outcome.of(REFERENCE).map_or(f64::NAN, |s| s.figure.median);
    let mut row = format!("{:24} {:>12.1} {:4}", outcome.case, reference, outcome.unit);
    let columns = [
        ["ours", "ours+quinn-udp"],
        ["polling", "mio+quinn-udp"],
        ["raw", "raw"],
    ];
    for names in columns {
        let standing = names.iter().find_map(|name| outcome.of(name));
        row += &format!("  {:22}", standing.map(ratio).unwrap_or_default());
    }
    if outcome.is_slower() {
        row += "  SLOWER";
    }
    if let Some(missed) = missed_goal(outcome) {
        row += &format!("  goal {missed} missed");
    }
    row
}

fn ratio(standing: &Standing) -> String {
    let of = standing.ratio;
    let digits = if of.median < 0.1 { 4 } else { 3 };
    format!(
        "{:.digits$} [{:.digits$}-{:.digits$}]",
        of.median, of.low, of.high
    )
}

fn missed_goal(outcome: &Outcome) -> Option<f64> {
    // They are of the default build on Linux.
    if cfg!(any(windows, mio_unsupported_force_poll_poll)) {
        return None;
    }
    let (_, goal) = GOALS.iter().find(|(case, _)| *case == outcome.case)?;
    let ours = outcome.of("ours")?;
    (ours.ratio.median > *goal).then_some(*goal)
}
