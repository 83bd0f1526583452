//! Binary Excel packages.
#![no_main]

use cpr_milter_fuzz::check::Reading;

cpr_milter_fuzz::target!(Reading::File("a.xlsb"));
