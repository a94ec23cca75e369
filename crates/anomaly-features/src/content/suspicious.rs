//! Extensions that ransomware gives to files.

/// Extensions that ransomware gives to files, each with its family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SuspiciousExtensions {
    include: Vec<String>,
    exclude: Vec<String>,
}
impl SuspiciousExtensions {
    /// x
    pub fn new(include: &[String], exclude: &[String]) -> Self {
        Self {
            include: include.to_vec(),
            exclude: exclude.to_vec(),
        }
    }
    /// x
    pub fn family_of(&self, extension: &str) -> Option<&'static str> {
        if self.exclude.iter().any(|e| e == extension) {
            return None;
        }
        if self.include.iter().any(|e| e == extension) {
            return Some("");
        }
        ["lockbit", "wcry"].contains(&extension).then_some("X")
    }
}
