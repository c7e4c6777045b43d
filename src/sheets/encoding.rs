//! How the characters of a file are written.

use chardetng::{EncodingDetector, Utf8Detection};
use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GBK, ISO_8859_2, ISO_8859_5, ISO_8859_7, KOI8_U, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1257,
};
use std::borrow::Cow;
use std::str::FromStr;

/// How the characters of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// As Excel writes "Unicode text".
    Utf16Le,
    /// The same, the other way about.
    Utf16Be,
    /// One of the encodings from before Unicode. All of them write commas, semicolons and quotation marks as ASCII does.
    Legacy(&'static encoding_rs::Encoding),
    /// The cells of an Excel workbook.
    Workbook,
}

impl Encoding {
    pub(super) const WINDOWS_1252: Self = Self::Legacy(WINDOWS_1252);

    /// The name that the WHATWG gives it, UTF in lower case; `xlsx` for a workbook.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Legacy(encoding) => encoding.name(),
            Self::Workbook => "xlsx",
        }
    }

    /// The text of one cell; UTF-16 was made UTF-8 on the way in. A byte that stands for nothing becomes U+FFFD.
    pub(super) fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Legacy(encoding) => encoding.decode_without_bom_handling(bytes).0,
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be | Self::Workbook => String::from_utf8_lossy(bytes),
        }
    }
}

/// No encoding that we read has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no encoding that we read; write a name such as utf-8, windows-1252, iso-8859-2, shift_jis or gbk")]
pub struct UnknownEncoding(pub String);

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    /// By any label of the WHATWG, such as `latin1` or `sjis`.
    fn from_str(label: &str) -> Result<Self, UnknownEncoding> {
        let unknown = || UnknownEncoding(label.to_owned());
        let encoding = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(unknown)?;
        match encoding.name() {
            "UTF-8" => Ok(Self::Utf8),
            "UTF-16LE" => Ok(Self::Utf16Le),
            "UTF-16BE" => Ok(Self::Utf16Be),
            _ if encoding.is_ascii_compatible() => Ok(Self::Legacy(encoding)),
            _ => Err(unknown()),
        }
    }
}

/// So many bytes beyond ASCII must speak before a file is taken for anything but Windows-1252: a handful of accents tells
/// Western from Central Europe by chance. Characters of two bytes give themselves away sooner.
const BYTES_THAT_SPEAK: usize = 20;
const BYTES_OF_PAIRS_THAT_SPEAK: usize = 8;

/// What the exports of shops and carriers are written in where it is no UTF. Others that the detector knows are taken for
/// Windows-1252: they have died out, or differ from it in nothing that matters.
const TAKEN: [&encoding_rs::Encoding; 14] = [
    SHIFT_JIS,
    EUC_JP,
    GBK,
    BIG5,
    EUC_KR,
    WINDOWS_1250,
    ISO_8859_2,
    WINDOWS_1251,
    ISO_8859_5,
    KOI8_U,
    WINDOWS_1253,
    ISO_8859_7,
    WINDOWS_1254,
    WINDOWS_1257,
];

/// Finds out which encoding from before Unicode a text is written in.
pub(super) struct Guess {
    detector: EncodingDetector,
    beyond_ascii: usize,
}

impl Guess {
    pub(super) fn new() -> Self {
        Self { detector: EncodingDetector::new(chardetng::Iso2022JpDetection::Deny), beyond_ascii: 0 }
    }

    /// Takes a line, or any piece that breaks no character.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        self.beyond_ascii += bytes.iter().filter(|byte| !byte.is_ascii()).count();
        self.detector.feed(bytes, false);
    }

    pub(super) fn settled(&self) -> Encoding {
        let guessed = self.detector.guess(None, Utf8Detection::Deny);
        let enough = if guessed.is_single_byte() { BYTES_THAT_SPEAK } else { BYTES_OF_PAIRS_THAT_SPEAK };
        if self.beyond_ascii >= enough && TAKEN.contains(&guessed) {
            Encoding::Legacy(guessed)
        } else {
            Encoding::WINDOWS_1252
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(text: &str, encoding: &'static encoding_rs::Encoding) -> &'static str {
        let mut guess = Guess::new();
        for line in text.lines() {
            guess.see(&encoding.encode(line).0);
            guess.see(b"\n");
        }
        guess.settled().name()
    }

    #[test]
    fn a_file_from_before_unicode_is_known_by_its_bytes() {
        let japanese =
            "注文番号,お届け先,住所\nA-1,山田太郎,東京都千代田区丸の内一丁目\nA-2,佐藤花子,大阪府大阪市北区梅田";
        let chinese = "订单编号,收货人,地址\nA-1,张伟,上海市浦东新区世纪大道100号\nA-2,王芳,广东省深圳市南山区科技园";
        let polish = "Zażółć gęślą jaźń, Łódź, Świętokrzyskie, Grażyna Wójcik, ul. Źródlana, Gdańsk, Żółkiewskiego, Ściegiennego, Białystok, Dąbrowa Górnicza";
        let russian = "Иван Петров, Москва, улица Ленина, дом 5\nМария Смирнова, Санкт-Петербург, Невский проспект";
        let french = "Hélène Dupré, 3 rue de la Forêt, Béziers, à côté, français, Noël, œuvre, Éléonore Bézières, déjà reçue, Évêché";
        for (text, encoding) in [
            (japanese, SHIFT_JIS),
            (japanese, EUC_JP),
            (chinese, GBK),
            (polish, WINDOWS_1250),
            (russian, WINDOWS_1251),
            (french, WINDOWS_1252),
        ] {
            assert_eq!(guessed(text, encoding), encoding.name());
        }
        assert_eq!(guessed("A-1,山田太郎\nA-2,佐藤花子", SHIFT_JIS), "Shift_JIS", "two names are enough");
        for few in ["Zażółć", "Müller, Söhne & Töchter, Köln, Straße"] {
            assert_eq!(guessed(few, WINDOWS_1250), "windows-1252", "too little to tell: {few}");
        }
    }

    #[test]
    fn an_encoding_is_known_by_its_labels() {
        for (label, name) in [("utf8", "utf-8"), ("latin1", "windows-1252"), ("SJIS", "Shift_JIS"), ("gb2312", "GBK")] {
            assert_eq!(label.parse().map(Encoding::name), Ok(name), "{label}");
        }
        for label in ["", "utf-7", "iso-2022-jp", "replacement", "klingon"] {
            assert!(label.parse::<Encoding>().is_err(), "{label}");
        }
    }
}
