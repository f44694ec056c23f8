//! The tokens of grants in files: what is kept comes back, and shows nowhere else (X-14, N9).

use std::fs;
use std::path::PathBuf;

use host::grants::{GrantFiles, token_keys};
use payments::GrantId;
use payments::grant::{GrantError, Pair, Pairs as _};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

fn id(n: u128) -> GrantId {
    GrantId::new(Uuid::from_u128(n))
}

/// A folder of this test's own, gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("paymirror-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn store(&self) -> GrantFiles {
        GrantFiles::new(self.0.clone())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pair(generation: u64) -> Pair {
    Pair {
        generation,
        access_token: format!("access-canary-{generation}").into(),
        access_until: "2026-10-05T04:11:25.5Z".parse().unwrap(),
        got_at: "2026-10-05T03:41:25.5Z".parse().unwrap(),
        refresh_token: format!("refresh-canary-{generation}").into(),
    }
}

#[tokio::test]
async fn a_pair_comes_back_as_it_was_kept_and_replaces_the_one_before() {
    let folder = Folder::new("pairs");
    assert!(folder.store().pair(id(1)).await.unwrap().is_none());
    for generation in [1, 2] {
        let kept = pair(generation);
        folder.store().store_pair(id(1), &kept).await.unwrap();
        let read = folder.store().pair(id(1)).await.unwrap().unwrap();
        assert_eq!(read.generation, generation);
        assert_eq!((read.access_until, read.got_at), (kept.access_until, kept.got_at));
        let tokens = |pair: &Pair| {
            [&pair.access_token, &pair.refresh_token].map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(tokens(&read), tokens(&kept));
        assert!(!format!("{read:?} {:?}", folder.store()).contains("canary"));
    }
    assert!(folder.store().pair(id(2)).await.unwrap().is_none(), "each grant has its own");
}

#[tokio::test]
async fn a_secret_that_was_spoilt_is_an_error_that_does_not_quote_it() {
    let folder = Folder::new("spoilt");
    folder.store().store_pair(id(1), &pair(1)).await.unwrap();
    let file = folder.0.join(id(1).to_string());
    let good = fs::read_to_string(&file).unwrap();
    for spoilt in [
        String::new(),
        good[..good.len() / 2].to_owned(),
        good.replace("refresh_token", "refresh"),
        good.replace("refresh-canary-1", ""),
        good.replace("2026-10-05", "canary"),
        good.replace(r#""generation":1"#, r#""generation":"canary""#),
    ] {
        fs::write(&file, spoilt).unwrap();
        let error = folder.store().pair(id(1)).await.unwrap_err();
        let GrantError::Unavailable(cause) = &error else { panic!("{error:?}") };
        assert!(!format!("{error} {error:?} {cause} {cause:?}").contains("canary"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("rights");
    folder.store().store_pair(id(1), &pair(1)).await.unwrap();
    let rights = fs::metadata(folder.0.join(id(1).to_string())).unwrap().permissions();
    assert_eq!(rights.mode() & 0o777, 0o600);
}

#[test]
fn keys_of_tokens_are_long_and_the_newest_comes_first() {
    let (new, old) = ("new-canary".repeat(5), "old-canary".repeat(5));
    let keys = |text: String| token_keys(&text.into());
    let one = keys(format!(r#"{{"token_key":"{new}"}}"#)).unwrap();
    assert_eq!(one.len(), 1);
    let both = keys(format!(r#"{{"token_key":"{new}","older_token_keys":["{old}"]}}"#)).unwrap();
    let texts: Vec<_> = both.iter().map(|key| key.expose_secret()).collect();
    assert_eq!(texts, [new.as_str(), old.as_str()]);
    for wrong in [
        String::new(),
        "{}".to_owned(),
        r#"{"token_key":"canary"}"#.to_owned(),
        format!(r#"{{"token_key":"{new}","older_token_keys":"{old}"}}"#),
        format!(r#"{{"token_key":"{new}","older_token_keys":["canary"]}}"#),
    ] {
        let error = keys(wrong).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}
