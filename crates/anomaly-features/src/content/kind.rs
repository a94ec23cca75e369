//! File formats by their magic numbers, and what an extension promises.

use file_format::{FileFormat, Kind};

/// A file format, told by the magic number at the beginning of a file.
///
/// ```
/// use anomaly_features::content::{BlockStatistics, Sampling};
///
/// let mut statistics = BlockStatistics::new(Sampling::Head, None);
/// statistics.update(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
/// let kind = statistics.finish().kind.unwrap();
/// assert_eq!(kind.media_type(), "image/png");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileKind(FileFormat);

impl FileKind {
    /// The format that begins like this, if it is a known one.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        let format = FileFormat::from_bytes(head);
        let known = match format {
            FileFormat::Empty | FileFormat::ArbitraryBinaryData => false,
            // Two bytes are soon found by chance; the method and the reserved flags are known too.
            FileFormat::Gzip => matches!(head, [_, _, 8, flags, ..] if flags & 0xe0 == 0),
            _ => true,
        };
        known.then_some(Self(format))
    }

    /// Its English name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Its media type, such as `application/zip`.
    #[must_use]
    pub fn media_type(&self) -> &str {
        self.0.media_type()
    }

    pub(super) fn is(self, wanted: fn(FileFormat) -> bool) -> bool {
        wanted(self.0)
    }

    /// Whether files of this format are text.
    pub(super) fn is_text(self) -> bool {
        let media = self.media_type();
        let is = |part: &str| media.contains(part);
        // A script may have an archive behind it.
        !is("script") && (media.starts_with("text/") || is("xml") || is("json") || is("html"))
    }

    /// Whether it is a key, a certificate or a message in the armour of PEM or PGP.
    pub(super) fn is_armour(self) -> bool {
        matches!(
            self.0,
            FileFormat::PemCertificate
                | FileFormat::PemCertificateSigningRequest
                | FileFormat::PemPrivateKey
                | FileFormat::PemPublicKey
                | FileFormat::PgpMessage
                | FileFormat::PgpPrivateKeyBlock
                | FileFormat::PgpPublicKeyBlock
                | FileFormat::PgpSignature
                | FileFormat::PgpSignedMessage
        )
    }

    /// Whether files of this format may look random for the most part: what is compressed.
    pub(super) fn is_dense(self) -> bool {
        let kind = self.0.kind();
        let never = matches!(kind, Kind::Database | Kind::Executable | Kind::Rom);
        !never && !self.is_text()
    }

    /// Whether the end of the file is not the one that this format has, where it always has one.
    /// `tail` holds the last bytes of the file.
    pub(super) fn lacks_its_end(self, tail: &[u8]) -> bool {
        let has = |end: &[u8]| tail.windows(end.len()).any(|window| window == end);
        match self.0 {
            FileFormat::Zip => !has(b"PK\x05\x06"),
            FileFormat::PortableNetworkGraphics => !has(b"IEND"),
            FileFormat::PortableDocumentFormat => !has(b"%%EOF"),
            FileFormat::Xz => !has(b"YZ"),
            _ => false,
        }
    }
}

/// What an extension promises of the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Promise {
    /// Nothing, or nothing that always holds.
    None,
    /// Readable text, whatever it says.
    Text,
    /// One of these formats, by its magic number.
    Magic(fn(FileFormat) -> bool),
    /// Some structure at the beginning, of whatever version of the format.
    Structure,
}

impl Promise {
    /// The promise of an extension in lower case.
    pub(super) fn of(extension: &str) -> Self {
        match extension {
            "asc" | "bat" | "c" | "cc" | "cfg" | "conf" | "cpp" | "cs" | "css" | "csv" | "eml"
            | "go" | "h" | "hpp" | "htm" | "html" | "ics" | "ini" | "ipynb" | "java" | "js"
            | "json" | "jsonl" | "kt" | "log" | "markdown" | "md" | "ndjson" | "php" | "pl"
            | "po" | "ps1" | "py" | "rb" | "rs" | "rst" | "rtf" | "scss" | "sql" | "svg"
            | "swift" | "tex" | "toml" | "tsv" | "tsx" | "txt" | "vb" | "vbs" | "vcf" | "xhtml"
            | "xml" | "xsd" | "yaml" | "yml" => Self::Text,
            // Protected by a password, an Office document is a compound file.
            "docm" | "docx" | "dotx" | "pptm" | "pptx" | "xlsm" | "xlsx" | "xltx" => {
                Self::Magic(|format| is_zip(format) || format == FileFormat::CompoundFileBinary)
            }
            "apk" | "epub" | "ipa" | "jar" | "kmz" | "nupkg" | "odg" | "odp" | "ods" | "odt"
            | "vsdx" | "war" | "whl" | "xpi" | "zip" => Self::Magic(is_zip),
            "7z" => Self::Magic(|format| format == FileFormat::SevenZip),
            "bz2" => Self::Magic(|format| format == FileFormat::Bzip2),
            "gz" | "tgz" => Self::Magic(|format| format == FileFormat::Gzip),
            "rar" => Self::Magic(|format| format == FileFormat::RoshalArchive),
            "xz" => Self::Magic(|format| format == FileFormat::Xz),
            "zst" => Self::Magic(|format| format == FileFormat::Zstandard),
            "gif" | "heic" | "jfif" | "jpeg" | "jpg" | "png" | "psd" | "tif" | "tiff" | "webp" => {
                Self::Magic(|format| matches!(format.kind(), Kind::Image | Kind::Video))
            }
            "avi" | "flac" | "m4a" | "m4v" | "mkv" | "mp4" | "ogg" | "opus" | "wav" | "webm"
            | "wma" | "wmv" => Self::Magic(|format| {
                matches!(
                    format.kind(),
                    Kind::Audio | Kind::Video | Kind::Metadata | Kind::Other
                )
            }),
            "pdf" => Self::Magic(|format| matches!(format.kind(), Kind::Document)),
            "sqlite" | "sqlite3" => Self::Magic(|format| format == FileFormat::Sqlite3),
            "dll" | "exe" => Self::Magic(|format| matches!(format.kind(), Kind::Executable)),
            "otf" | "ttf" | "woff" | "woff2" => {
                Self::Magic(|format| matches!(format.kind(), Kind::Font))
            }
            "a" | "accdb" | "bmp" | "class" | "db" | "dbf" | "doc" | "dwg" | "frm" | "ibd"
            | "iso" | "ldf" | "lib" | "mdb" | "mdf" | "mp3" | "myd" | "ndf" | "o" | "ost"
            | "ppt" | "pst" | "pyc" | "qcow2" | "so" | "tar" | "vdi" | "vhd" | "vhdx" | "vmdk"
            | "xls" => Self::Structure,
            _ => Self::None,
        }
    }
}

/// Whether it is a ZIP archive, of which many formats are made.
fn is_zip(format: FileFormat) -> bool {
    let made_of_zip = [
        "zip",
        "opendocument",
        "openxmlformats",
        "epub",
        "java-archive",
    ];
    made_of_zip
        .iter()
        .any(|part| format.media_type().contains(part))
}
