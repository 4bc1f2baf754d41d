//! What must not stand in which file.

use crate::{assert_none, files};

/// The lines of files that contain one of the needles, as `file:line: needle`.
fn found(files: &[(String, String)], needles: &[String]) -> Vec<String> {
    let lines = files.iter().flat_map(|(name, text)| text.lines().zip(1..).map(move |line| (name, line)));
    let hits = lines.flat_map(|(name, (line, number))| {
        let hits = needles.iter().filter(move |needle| line.contains(needle.as_str()));
        hits.map(move |needle| format!("{name}:{number}: {needle}"))
    });
    hits.collect()
}

/// Texts below a folder, without those whose path begins with one of `except`.
fn texts(folder: &str, except: &[&str]) -> Vec<(String, String)> {
    let kept = files(folder).into_iter().filter(|(name, _)| !except.iter().any(|start| name.starts_with(start)));
    kept.filter_map(|(name, path)| Some((name, std::fs::read_to_string(path).ok()?))).collect()
}

/// Needles in two halves, so that this file does not contain them.
fn needles(halves: &[[&str; 2]]) -> Vec<String> {
    halves.iter().map(|halves| halves.concat()).collect()
}

#[test]
fn only_the_gpu_knows_wgpu() {
    let wgpu = needles(&[["wgpu", "::"], ["use ", "wgpu"]]);
    assert_none("wgpu outside src/gpu", &found(&texts("src", &["src/gpu/"]), &wgpu));
    assert!(!found(&texts("src/gpu", &[]), &wgpu).is_empty());
}

#[test]
fn only_the_command_line_prints() {
    let prints = needles(&[["print", "ln!"], ["print", "!"], ["db", "g!"]]);
    let allowed = ["src/cli/", "src/main.rs", "src/progress.rs"];
    assert_none("printing outside the command line", &found(&texts("src", &allowed), &prints));
    let doctored = [("src/x.rs".to_owned(), ["fn f() {\n    ", "eprint", "ln!(\"here\");\n}"].concat())];
    assert_eq!(found(&doctored, &prints), [["src/x.rs:2: print", "ln!"].concat()]);
}

#[test]
fn nothing_is_left_to_do() {
    let left = needles(&[["to", "do!"], ["unimple", "mented!"], ["TO", "DO"], ["FIX", "ME"]]);
    for folder in ["src", "shaders", "tests"] {
        let all = texts(folder, &[]);
        assert!(!all.is_empty());
        assert_none("left to do", &found(&all, &left));
    }
    for needle in &left {
        let doctored = [("shaders/x.wgsl".to_owned(), format!("// {needle}: tiles"))];
        assert_eq!(found(&doctored, &left).len(), 1, "{needle}");
    }
}

/// Variables in inner blocks of shaders that are declared without a value.
fn without_a_value(shaders: &[(String, String)]) -> Vec<String> {
    let lines = shaders.iter().flat_map(|(name, text)| text.lines().zip(1..).map(move |line| (name, line)));
    let inner = lines.filter(|(_, (line, _))| line.starts_with("        ") && line.trim_start().starts_with("var "));
    inner.filter(|(_, (line, _))| !line.contains('=')).map(|(name, (_, number))| format!("{name}:{number}")).collect()
}

/// WGSL makes such a variable zero at each turn of a loop; a browser was seen to do so at the first one only.
#[test]
fn variables_of_loops_have_a_value() {
    assert_none("without a value", &without_a_value(&texts("shaders", &[])));
    let loops = "fn f() {\n    var a: f32;\n    for (;;) {\n        var b = 0.0;\n        var c: f32;\n    }\n}";
    assert_eq!(without_a_value(&[("shaders/x.wgsl".to_owned(), loops.to_owned())]), ["shaders/x.wgsl:5"]);
}

/// The text between `before` and the first `after` behind it.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

#[test]
fn the_image_is_built_by_the_rust_that_cargo_names() {
    let read = |name: &str| std::fs::read_to_string(crate::root().join(name)).expect(name);
    let (manifest, image) = (read("Cargo.toml"), read("Dockerfile"));
    let version = between(&manifest, "\nrust-version = \"", "\"").expect("the oldest Rust");
    assert_eq!(between(&image, "\nARG RUST_IMAGE=rust:", "-"), Some(version));
    assert_ne!(between(&image.replace(version, "1.0"), "\nARG RUST_IMAGE=rust:", "-"), Some(version));
}

/// The lines of an example that a reader sees, behind its opening fence.
fn example<'a>(text: &'a str, fence: &str) -> Vec<&'a str> {
    let example = between(text, &format!("\n{fence}\n"), "\n```").unwrap_or_default();
    example.lines().filter(|line| !line.starts_with("# ")).collect()
}

#[test]
fn the_readme_has_the_example_that_is_tested() {
    let read = |name: &str| std::fs::read_to_string(crate::root().join(name)).expect(name);
    let (library, readme) = (read("src/lib.rs"), read("README.md"));
    let documentation: Vec<&str> = library.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let tested = documentation.join("\n").replace("\n ", "\n");
    let shown = readme.split_once("\n## As a library\n").expect("a section of the library").1;
    assert!(example(&tested, "```").len() > 5);
    assert_eq!(example(shown, "```rust"), example(&tested, "```"));
    assert_ne!(example(&shown.replace("Trainer::new", "Trainer::now"), "```rust"), example(&tested, "```"));
}
