//! Plain English: the words of `documents::vocabulary` are rare.

use documents::repository::documents;
use documents::vocabulary::{Count, count};

/// Most of them in one file.
const IN_A_FILE_MAX: usize = 5;
/// Fewer than this many in 10,000 words.
const IN_TEN_THOUSAND: usize = 2;

fn counts() -> Vec<Count> {
    documents().iter().map(count).filter(|count| count.words > 0).collect()
}

/// For 10,000 words, with one decimal.
fn rate(counts: &[&Count]) -> String {
    let words: usize = counts.iter().map(|count| count.words).sum();
    let found: usize = counts.iter().map(|count| count.found.len()).sum();
    let tenths = found * 100_000 / words.max(1);
    format!("{found:5} in {words:6} words: {}.{} in 10,000", tenths / 10, tenths % 10)
}

#[test]
fn the_words_are_rare() {
    let counts = counts();
    print_figures(&counts);
    let all: Vec<_> = counts.iter().collect();
    let places =
        || all.iter().flat_map(|count| &count.found).cloned().collect::<Vec<_>>().join("\n");
    let words: usize = all.iter().map(|count| count.words).sum();
    let found: usize = all.iter().map(|count| count.found.len()).sum();
    assert!(
        found * 10_000 < IN_TEN_THOUSAND * words.max(10_000),
        "\n{}\n{}: fewer than {IN_TEN_THOUSAND} may be. Rewrite the sentences: subject, verb, object.",
        places(),
        rate(&all)
    );
    for count in all {
        let list = count.found.join("\n");
        assert!(
            count.found.len() <= IN_A_FILE_MAX,
            "\n{list}\nmore than {IN_A_FILE_MAX} in one file"
        );
    }
}

/// Prints the figures of each folder: `cargo test -p documents words -- --nocapture`.
fn print_figures(counts: &[Count]) {
    println!("all: {}", rate(&counts.iter().collect::<Vec<_>>()));
    let mut folders: Vec<_> = counts.iter().map(|count| folder(&count.path)).collect();
    folders.dedup();
    for name in folders {
        let of: Vec<_> = counts.iter().filter(|count| folder(&count.path) == name).collect();
        println!("{name:24} {}", rate(&of));
    }
}

fn folder(path: &str) -> String {
    path.split('/').take(2).collect::<Vec<_>>().join("/")
}
