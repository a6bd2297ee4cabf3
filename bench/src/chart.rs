//! Pictures of a record, as SVG that is readable on light and on dark pages:
//! no background, mid-grey text, and colours of middle lightness.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, Result};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::measure::{Outcome, REFERENCE};
use crate::record::{Header, Record};

const TEXT: RGBColor = RGBColor(128, 128, 128);
const GRID: RGBAColor = RGBAColor(128, 128, 128, 0.25);

/// Who is drawn, how, and the name in the legend.
const LOOKS: [(&str, &str, RGBColor); 4] = [
    ("raw", "bare epoll", RGBColor(128, 128, 128)),
    ("polling", "polling 3.11", RGBColor(214, 134, 30)),
    ("mio", "mio 1.2.5", RGBColor(200, 80, 120)),
    ("ours", "this crate", RGBColor(40, 140, 200)),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws all pictures into `docs/`.
pub(crate) fn draw(record: &Record) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    ratios(record, &folder.join("bench-ratios.svg"))?;
    waits(record, &folder.join("bench-waits.svg"))
}

fn saved(path: PathBuf) {
    println!("drawn: {}", path.display());
}

fn grey(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT)
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("a picture cannot be drawn: {error}")
}

/// One row a case: the ratio to the reference, from quarter to quarter, on a
/// logarithmic axis.
fn ratios(record: &Record, path: &Path) -> Result<()> {
    const ROW: u32 = 19;
    let cases = &record.outcomes;
    let size = (860, ROW * cases.len() as u32 + 118);
    let root = SVGBackend::new(path, size).into_drawing_area();
    let (top, body) = root.split_vertically(44);
    title(
        &top,
        "Time to mio 1.2.5's, by the same user code",
        &record.header,
    )?;
    legend(&top, 500, &["ours", "polling", "raw"])?;

    let rows = -0.5f64..cases.len() as f64 - 0.5;
    // From the top down.
    let height_of = |index: usize| (cases.len() - 1 - index) as f64;
    let mut chart = ChartBuilder::on(&body)
        .margin_right(16)
        .x_label_area_size(48)
        .y_label_area_size(176)
        .build_cartesian_2d((0.004f64..12.0).log_scale(), rows)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(TEXT)
        .label_style(grey(12))
        .axis_desc_style(grey(13))
        .x_desc("ratio of times (logarithmic; left of 1.0 is faster than mio)")
        .x_labels(8)
        .x_label_formatter(&|ratio| format!("{ratio}"))
        .y_labels(0)
        .draw()
        .map_err(failed)?;
    let line = [(1.0, -0.5), (1.0, cases.len() as f64 - 0.5)];
    chart
        .draw_series([PathElement::new(line, TEXT.stroke_width(2))])
        .map_err(failed)?;
    for (index, case) in cases.iter().enumerate() {
        let height = height_of(index);
        for (name, _, color) in LOOKS.iter().filter(|(name, ..)| *name != REFERENCE) {
            let Some(standing) = drawn_as(case, name) else {
                continue;
            };
            let of = standing.ratio;
            let radius = if *name == "ours" { 5 } else { 3 };
            let range = [(of.low, height), (of.high, height)];
            chart
                .draw_series([PathElement::new(range, color.stroke_width(2))])
                .map_err(failed)?;
            chart
                .draw_series([Circle::new((of.median, height), radius, color.filled())])
                .map_err(failed)?;
        }
        let (_, pixel) = chart.backend_coord(&(1.0, height));
        let style = grey(12).pos(Pos::new(HPos::Right, VPos::Center));
        root.draw_text(&case.case, &style, (168, pixel))
            .map_err(failed)?;
    }
    root.present().map_err(failed)?;
    saved(path.to_owned());
    Ok(())
}

/// The segmented datagrams go through a crate of their own.
fn drawn_as<'a>(case: &'a Outcome, name: &str) -> Option<&'a crate::measure::Standing> {
    case.of(name)
        .or_else(|| case.of("ours+quinn-udp").filter(|_| name == "ours"))
}

/// What takes wall time: how much too long polls last, and how long bursts of
/// connections do.
fn waits(record: &Record, path: &Path) -> Result<()> {
    let root = SVGBackend::new(path, (860, 380)).into_drawing_area();
    let (top, body) = root.split_vertically(44);
    title(
        &top,
        "Waiting: timeouts and bursts of connections",
        &record.header,
    )?;
    legend(&top, 440, &["ours", "mio", "polling", "raw"])?;
    let (left, right) = body.split_horizontally(430);

    let timeouts = |name: &str| -> Vec<(f64, f64)> {
        points(record, "timeout/", name)
            .map(|(asked, elapsed)| (asked, (elapsed - asked).max(1.0)))
            .collect()
    };
    let axes = Axes {
        x: "timeout asked for (us, logarithmic)",
        y: "too late by (us, logarithmic)",
        x_range: 30.0..20_000.0,
        y_range: 10.0..3_000.0,
    };
    lines(&left, axes, timeouts)?;

    let bursts = |name: &str| points(record, "accept/burst-", name).collect();
    let axes = Axes {
        x: "connects at once (logarithmic)",
        y: "until all are accepted (ms, logarithmic)",
        x_range: 80.0..1_300.0,
        y_range: 3.0..6_000.0,
    };
    lines(&right, axes, bursts)?;
    root.present().map_err(failed)?;
    saved(path.to_owned());
    Ok(())
}

/// Of each case with the prefix: the number in its name, and the contender's
/// median.
fn points<'a>(
    record: &'a Record,
    prefix: &'a str,
    contender: &'a str,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    record.outcomes.iter().filter_map(move |case| {
        let rest = case.case.strip_prefix(prefix)?;
        let digits = rest.trim_end_matches(|c: char| c.is_alphabetic());
        let number: f64 = digits.parse().ok()?;
        let scale = if rest.ends_with("ms") { 1_000.0 } else { 1.0 };
        Some((number * scale, case.of(contender)?.figure.median))
    })
}

struct Axes {
    x: &'static str,
    y: &'static str,
    x_range: std::ops::Range<f64>,
    y_range: std::ops::Range<f64>,
}

fn lines(area: &Area<'_>, axes: Axes, points: impl Fn(&str) -> Vec<(f64, f64)>) -> Result<()> {
    let mut chart = ChartBuilder::on(area)
        .margin_right(18)
        .margin_top(6)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(axes.x_range.log_scale(), axes.y_range.log_scale())
        .map_err(failed)?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(TEXT)
        .label_style(grey(12))
        .axis_desc_style(grey(13))
        .x_labels(4)
        .x_desc(axes.x)
        .y_desc(axes.y)
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y}"))
        .draw()
        .map_err(failed)?;
    for (name, _, color) in LOOKS {
        let points = points(name);
        chart
            .draw_series(LineSeries::new(points.clone(), color.stroke_width(2)))
            .map_err(failed)?;
        let dots = points.iter().map(|at| Circle::new(*at, 4, color.filled()));
        chart.draw_series(dots).map_err(failed)?;
    }
    Ok(())
}

fn title(area: &Area<'_>, title: &str, header: &Header) -> Result<()> {
    area.draw_text(title, &grey(16), (10, 4)).map_err(failed)?;
    let day = header.date.get(..10).unwrap_or_default();
    let place = format!("{}, Linux {}, {day}", header.cpu, header.kernel);
    area.draw_text(&place, &grey(11), (10, 26)).map_err(failed)
}

fn legend(area: &Area<'_>, mut x: i32, names: &[&str]) -> Result<()> {
    for (name, title, color) in LOOKS.iter().rev() {
        if !names.contains(name) {
            continue;
        }
        let dot = Circle::new((x, 14), 5, color.filled());
        area.draw(&dot).map_err(failed)?;
        area.draw_text(title, &grey(13), (x + 10, 7))
            .map_err(failed)?;
        x += 34 + 7 * title.len() as i32;
    }
    Ok(())
}
