//! Extensions that ransomware gives to files.

/// Extensions that ransomware gives to files, each with its family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SuspiciousExtensions {}
