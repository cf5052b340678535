//! Whole configurations: what they come to, what is wrong with them, and that they keep their secrets.

mod documentation;
mod first_start;
mod keeping_secrets;
mod layering;
mod mistakes;
mod page;
mod secrets;

use std::path::PathBuf;

use tempfile::TempDir;

use super::{Environment, Flag, Layers, Loaded, Mistakes};

/// The layers of a configuration above the defaults, and a folder for its files.
struct Written {
    folder: TempDir,
    layers: Layers,
}

impl Written {
    /// Nothing but a data folder, so that no test meets what another has made.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data").to_str().unwrap().to_owned();
        let flags = vec![Flag { name: "--data-dir", key: "data_dir", value: data_dir }];
        Self { folder, layers: Layers { flags, ..Layers::default() } }
    }

    /// `FOLDER` in the text stands for the folder of the files.
    fn file(mut self, toml: &str) -> Self {
        let path = self.path("lectern.toml");
        std::fs::write(&path, toml.replace("FOLDER", self.folder.path().to_str().unwrap())).unwrap();
        self.layers.file = Some(path);
        self
    }

    fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.layers.environment = Environment::from_iter(variables.iter().copied());
        self
    }

    fn flag(mut self, name: &'static str, key: &'static str, value: &str) -> Self {
        self.layers.flags.push(Flag { name, key, value: value.to_owned() });
        self
    }

    fn other_file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    fn load(&self) -> Result<Loaded, Mistakes> {
        self.layers.load()
    }

    /// The sentences about what is wrong, with the names of the files only.
    fn mistakes(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let file = self.layers.file.as_ref().map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let Err(mistakes) = self.load() else { panic!("no mistake was found in {file:?}") };
        mistakes.sentences().map(|sentence| sentence.replace(&folder, "")).collect()
    }

    /// The line of a key in what `config show` prints: value and origin.
    fn shown(&self, heading: &str, key: &str) -> (String, String) {
        let shown = self
            .load()
            .unwrap()
            .provenance()
            .to_string()
            .replace(&format!("{}/", self.folder.path().display()), "");
        let section = shown.split(&format!("{heading}\n")).nth(usize::from(!heading.is_empty())).unwrap();
        let line = section.lines().find(|line| line.split(' ').next() == Some(key)).unwrap();
        let (value, origin) = line.split_once(" = ").unwrap().1.rsplit_once("  # ").unwrap();
        (value.trim().to_owned(), origin.to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
