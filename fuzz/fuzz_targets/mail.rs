//! MIME, nested mails, mailboxes.
#![no_main]

use cpr_milter_fuzz::check::Reading;

cpr_milter_fuzz::target!(Reading::Mail);
