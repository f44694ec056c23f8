//! What stands in the activity log is of a closed list, so that what is announced of it is chosen.

use std::path::Path;

#[test]
fn no_row_of_the_log_is_written_with_an_action_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let source = std::fs::read_to_string(&file).unwrap();
        let writes = source.matches(".text(\"action\",").count();
        // `Writer::logged` itself; `stream.rs` reads it by its code.
        let expected = usize::from(file.ends_with("attributes.rs"));
        assert_eq!(writes, expected, "{file:?}: use Writer::logged");
    }
}
