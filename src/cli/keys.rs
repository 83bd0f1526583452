//! `cpr-milter keys init DIR`: makes the keys once.

use super::table::Said;
use crate::store::Keys;
use std::path::Path;

/// Makes the keys, or says that they are there.
pub fn init(dir: &Path) -> Said {
    let there = dir.join("store.pub").exists();
    match Keys::create(dir) {
        Ok(()) if there => (
            format!("The keys in {} are complete; nothing was changed.\n", dir.display()),
            0,
        ),
        Ok(()) => {
            let dir = dir.display();
            let text = format!(
                "Made {dir}/store.pub, {dir}/store.key and {dir}/hash.key.\n\
                 Give store.key to the courier and the reviewers only, never to the milter.\n\
                 Back up store.key and hash.key now, apart from the store: without the first no held mail can be read,\n\
                 without the second no protected person is recognised.\n"
            );
            (text, 0)
        }
        Err(error) => (format!("{error}\n"), 2),
    }
}
