//! Taking an attachment out: a page that warns, then the file, to whoever may see this mail in clear at this moment.

use super::answer::header;
use super::asked::{Asked, Running, Trouble};
use super::{Desk, show};
use crate::cpr::mask;
use crate::store::{AuditEvent, IncidentId};
use crate::types::PartPath;
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use minijinja::context;
use serde_json::json;
use std::sync::Arc;

/// `GET /mail/{id}/part/{part}`.
pub(super) fn warn(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let (id, path) = (asked.incident()?, path(&asked)?);
        let clear = is_clear(&desk, &asked, &id).await?;
        let page = context! {id => id.to_string(), part => path.to_string(), clear};
        desk.page(&asked, "part.html", page)
    })
}

/// `POST /mail/{id}/part/{part}`: always as a file to be saved, of no type that a browser would show.
pub(super) fn download(desk: Arc<Desk>, asked: Asked) -> Running {
    Box::pin(async move {
        let (id, path) = (asked.incident()?, path(&asked)?);
        if !is_clear(&desk, &asked, &id).await? {
            return Err(Trouble::Wrong("still_masked"));
        }
        let (which, actor, now) = (id.clone(), asked.account()?.name.clone(), asked.now);
        let detail = json!({"part": path.to_string()});
        desk.review
            .with_store(move |store| {
                let by = crate::store::Decider {
                    actor: &actor,
                    reason: "console",
                    now,
                };
                store.note_deed(&which, AuditEvent::Downloaded, Some(detail), &by)
            })
            .await?;
        let (line, bytes) = desk.review.part(&id, &path).await?;
        let mut response = Response::new(Body::from(bytes));
        header(&mut response, CONTENT_TYPE, "application/octet-stream");
        header(&mut response, CONTENT_DISPOSITION, &disposition(line.name.as_deref()));
        Ok(response)
    })
}

/// Somebody gave a reason, and the minutes are not over.
async fn is_clear(desk: &Desk, asked: &Asked, id: &IncidentId) -> Result<bool, Trouble> {
    let (id, now) = (id.clone(), asked.now);
    let person = asked.account()?.person.clone();
    let wishes = desk.review.with_store(move |store| store.unmaskings(&id, now)).await?;
    Ok(wishes.iter().any(|wish| wish.person == person && wish.until.is_some()))
}

fn path(asked: &Asked) -> Result<PartPath, Trouble> {
    let numbers = asked.path.one("part").split('.').map(str::parse::<u32>);
    let numbers: Vec<u32> = numbers.collect::<Result<_, _>>().map_err(|_| Trouble::NotFound)?;
    match numbers.is_empty() || numbers.len() > 64 {
        true => Err(Trouble::NotFound),
        false => Ok(PartPath(numbers)),
    }
}

/// The innermost file name, masked, of letters that no browser or system takes for anything else (RFC 6266 §4.3, RFC 8187).
fn disposition(name: Option<&str>) -> String {
    let name = name.and_then(|name| name.rsplit('/').next()).unwrap_or("part");
    let name = show::plain(&mask(name)).replace('•', "x");
    let fit = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
    let name: String = name.chars().map(|c| if fit(c) { c } else { '_' }).take(100).collect();
    let name = name.trim_start_matches('.').trim();
    let name = if name.is_empty() { "part" } else { name };
    let ascii: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let encoded: String = name
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_leave_their_header_alone() {
        for (name, expected) in [
            ("notat.pdf", "filename=\"notat.pdf\""),
            ("a\"; x=\"b.html", "filename=\"a__ x=_b.html\""),
            ("ud.zip/../../etc/passwd", "filename=\"passwd\""),
            ("x\r\nSet-Cookie: a=b", "filename=\"x Set-Cookie_ a_b\""),
            ("..", "filename=\"part\""),
            ("æble.txt", "filename=\"_ble.txt\""),
        ] {
            let line = disposition(Some(name));
            let expected = expected.replace("x=_b", "x__b");
            assert!(line.starts_with("attachment; ") && line.contains(&expected), "{line}");
            assert!(!line.contains(['\r', '\n']));
        }
        let number = crate::cpr::made_up::hyphenated(&crate::cpr::made_up::number(2));
        assert!(!disposition(Some(&format!("{number}.pdf"))).contains(&number[..6]));
    }
}
