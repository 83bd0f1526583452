//! Bytes of RTF text in the code page of their font.

use crate::document::charset;
use encoding_rs::Encoding;

/// A code page.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Page {
    /// 437 and 850, in which the digits, signs and Danish capitals agree.
    Dos,
    Encoding(&'static Encoding),
}

impl Page {
    pub const WINDOWS: Page = Page::Encoding(encoding_rs::WINDOWS_1252);

    /// By Windows number (`\ansicpg`, `\cpg`).
    pub fn by_number(number: i32) -> Page {
        let encoding = match number {
            437 | 850 | 858 | 860 | 861 | 863 | 865 => return Page::Dos,
            866 => encoding_rs::IBM866,
            874 => encoding_rs::WINDOWS_874,
            932 => encoding_rs::SHIFT_JIS,
            936 | 54936 => encoding_rs::GBK,
            949 => encoding_rs::EUC_KR,
            950 => encoding_rs::BIG5,
            1250 => encoding_rs::WINDOWS_1250,
            1251 => encoding_rs::WINDOWS_1251,
            1253 => encoding_rs::WINDOWS_1253,
            1254 => encoding_rs::WINDOWS_1254,
            1255 => encoding_rs::WINDOWS_1255,
            1256 => encoding_rs::WINDOWS_1256,
            1257 => encoding_rs::WINDOWS_1257,
            1258 => encoding_rs::WINDOWS_1258,
            10000 => encoding_rs::MACINTOSH,
            65001 => encoding_rs::UTF_8,
            _ => encoding_rs::WINDOWS_1252,
        };
        Page::Encoding(encoding)
    }

    /// By `\fcharset`; `None`: that of the document.
    pub fn by_charset(number: i32) -> Option<Page> {
        let page = match number {
            77 => 10000,
            128 => 932,
            129 => 949,
            134 => 936,
            136 => 950,
            161 => 1253,
            162 => 1254,
            163 => 1258,
            177 => 1255,
            178 => 1256,
            186 => 1257,
            204 => 1251,
            222 => 874,
            238 => 1250,
            254 | 255 => 437,
            _ => return None,
        };
        Some(Page::by_number(page))
    }

    /// A byte that needs the next one.
    pub fn is_lead(self, byte: u8) -> bool {
        match self {
            Page::Dos => false,
            Page::Encoding(encoding) => {
                byte >= 0x81
                    && !encoding.is_single_byte()
                    && encoding
                        .decode_without_bom_handling_and_without_replacement(&[byte])
                        .is_none()
            }
        }
    }

    /// The character of these bytes.
    pub fn decode(self, bytes: &[u8]) -> Option<char> {
        let mut only = None;
        let text = match self {
            Page::Dos => charset::cp437(bytes).text,
            Page::Encoding(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)?
                .into_owned(),
        };
        for c in text.chars() {
            if only.replace(c).is_some() {
                return None;
            }
        }
        only
    }
}
