//! Each page's module, by the table of pages.

use super::{PageError, Stage};
use crate::page::{Page, page_table};

macro_rules! dispatch {
    ($($page:ident = $code:literal, $module:ident, $place:ident, $least:ident, $title:literal, $what:literal;)+) => {
        /// Shows the page that is asked for.
        pub(crate) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
            match stage.show.page { $(Page::$page => super::$module::show(stage).await),+ }
        }
    };
}
page_table!(dispatch);
