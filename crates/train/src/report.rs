//! One page that shows a run.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::TrainError;
use crate::figures::{Curve, Plot, save_plots};
use crate::record::{EpochRecord, Metrics};
use crate::run_folder::RunFolder;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:80rem;margin:2rem auto;padding:0 1rem;color:#222}\
    img{max-width:100%}table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:right;\
    border-bottom:1px solid #ddd}pre{background:#f5f5f5;padding:1rem;overflow:auto}";

impl RunFolder {
    /// Writes `report.html`: the curves of all metrics, every PNG picture of the folder, the figures of each epoch and
    /// the configuration, in one file that opens without a server.
    ///
    /// ```
    /// use striate_train::RunFolder;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let run = RunFolder::create(folder.path())?;
    /// run.write_config(&[("lr", 0.1)])?;
    /// let page = run.write_report(&run.read_metrics()?)?;
    /// assert!(std::fs::read_to_string(page)?.contains("lr"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When a file of the folder cannot be read, or the page cannot be written.
    pub fn write_report(&self, history: &[EpochRecord]) -> Result<PathBuf, TrainError> {
        let name = self.folder().file_name().map_or_else(|| "run".into(), |name| name.to_string_lossy());
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title><style>{STYLE}</style>\n<h1>{0}</h1>\n",
            escaped(&name)
        );
        if !history.is_empty() {
            let curves = self.file("report-curves.png");
            save_plots(&curves, &plots(history))?;
            page += &picture(&curves, "Training and test figures over the epochs")?;
            fs::remove_file(&curves).map_err(TrainError::io(&curves, "remove"))?;
        }
        for file in self.pictures()? {
            let title =
                file.file_stem().map(|name| name.to_string_lossy().replace('_', " ")).unwrap_or_default();
            _ = writeln!(page, "<h2>{}</h2>", escaped(&title));
            page += &picture(&file, &title)?;
        }
        page += &table(history);
        let config = self.file("config.json");
        match fs::read_to_string(&config) {
            Ok(text) => _ = writeln!(page, "<h2>Configuration</h2>\n<pre>{}</pre>", escaped(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(TrainError::io(config, "read")(error)),
        }
        let file = self.file("report.html");
        fs::write(&file, page).map_err(TrainError::io(&file, "write"))?;
        Ok(file)
    }

    /// The PNG files of the folder by name.
    fn pictures(&self) -> Result<Vec<PathBuf>, TrainError> {
        let entries = fs::read_dir(self.folder()).map_err(TrainError::io(self.folder(), "read"))?;
        let files = entries.flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> =
            files.filter(|file| file.extension().is_some_and(|ending| ending == "png")).collect();
        files.sort();
        Ok(files)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A picture with its bytes in the page.
fn picture(file: &Path, title: &str) -> Result<String, TrainError> {
    let bytes = fs::read(file).map_err(TrainError::io(file, "read"))?;
    Ok(format!(
        "<p><img alt=\"{}\" src=\"data:image/png;base64,{}\">\n",
        escaped(title),
        STANDARD.encode(bytes)
    ))
}

/// The names of all metrics.
fn names(history: &[EpochRecord]) -> BTreeSet<&String> {
    history.iter().flat_map(|record| record.train.keys().chain(record.test.keys())).collect()
}

/// Each metric over the epochs.
fn plots(history: &[EpochRecord]) -> Vec<Plot> {
    let plot = |metric: &String| {
        let curve = |name: &str, of: fn(&EpochRecord) -> &Metrics| Curve {
            name: name.into(),
            points: history
                .iter()
                .filter_map(|record| Some((record.epoch as f64, *of(record).get(metric)?)))
                .collect(),
            ..Default::default()
        };
        let curves = vec![curve("training", |record| &record.train), curve("test", |record| &record.test)];
        let curves = curves.into_iter().filter(|curve| !curve.points.is_empty()).collect();
        Plot {
            title: metric.clone(),
            x_label: "epoch".into(),
            y_label: metric.clone(),
            curves,
            ..Default::default()
        }
    };
    names(history).into_iter().map(plot).collect()
}

/// The figures of each epoch.
fn table(history: &[EpochRecord]) -> String {
    let names = names(history);
    let mut html = "<h2>Epochs</h2>\n<table><tr><th>epoch".to_string();
    names.iter().for_each(|name| _ = write!(html, "<th>training {0}<th>test {0}", escaped(name)));
    html += "<th>learning rate<th>seconds\n";
    for record in history {
        _ = write!(html, "<tr><td>{}", record.epoch);
        for name in &names {
            for metrics in [&record.train, &record.test] {
                html += "<td>";
                metrics.get(*name).iter().for_each(|value| _ = write!(html, "{value:.4}"));
            }
        }
        _ = writeln!(html, "<td>{:.3e}<td>{:.1}", record.learning_rate, record.seconds);
    }
    html + "</table>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_all_that_it_shows() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(folder.path().join("a<b")).unwrap();
        run.write_config(&serde_json::json!({"seed": 7, "note": "<script>"})).unwrap();
        let record = |epoch, loss| EpochRecord {
            epoch,
            train: Metrics::from([("loss".into(), loss)]),
            test: Metrics::from([("accuracy".into(), 0.5)]),
            learning_rate: 1e-3,
            seconds: 1.5,
            samples_per_second: 100.0,
        };
        let history = [record(1, 0.75), record(2, f64::NAN)];
        Plot::default().save(run.file("some_picture.png")).unwrap();
        let page = fs::read_to_string(run.write_report(&history).unwrap()).unwrap();
        for part in [
            "<h1>a&lt;b</h1>",
            "&lt;script&gt;",
            "<h2>some picture</h2>",
            "<td>0.7500",
            "<td>NaN",
            "1.000e-3",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        assert_eq!(page.matches("data:image/png;base64,").count(), 2);
        assert!(!page.contains("http"));
        assert!(!run.file("report-curves.png").exists());
    }
}
