//! Text in any charset, as the body of a mail.
#![no_main]

use cpr_milter_fuzz::check::Reading;

cpr_milter_fuzz::target!(Reading::Text);
