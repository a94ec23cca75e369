//! Jobs as `bpdbjobs` prints them.

use std::fmt::Write as _;

/// How many columns stand behind the lists of files and tries, and where the deduplication rate is
/// among them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Version {
    /// NetBackup 4.5: up to the stream.
    V4,
    /// NetBackup 5 and 6: up to the host in control.
    V6,
    /// NetBackup 7, as its manual lists it: a column for the reason that a job waits, one for it
    /// in words, the rate, the accelerator's, the instance.
    V7,
    /// As in a record of 2021, 68 columns long.
    V9,
}

impl Version {
    pub(crate) const ALL: [Self; 4] = [Self::V4, Self::V6, Self::V7, Self::V9];
}

#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) messages: Vec<String>,
    pub(crate) started: u64,
    pub(crate) status: u64,
    pub(crate) kilobytes: Option<u64>,
    pub(crate) files: Option<u64>,
}

/// A job, with NetBackup's names. Texts are as they are, not as they are printed.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) kind: u64,
    pub(crate) state: u64,
    pub(crate) status: Option<u64>,
    pub(crate) policy: String,
    pub(crate) schedule: String,
    pub(crate) client: String,
    pub(crate) started: u64,
    pub(crate) elapsed: u64,
    pub(crate) ended: Option<u64>,
    pub(crate) kilobytes: Option<u64>,
    pub(crate) files: Option<u64>,
    pub(crate) last_path: String,
    pub(crate) policy_type: Option<u64>,
    pub(crate) schedule_type: Option<u64>,
    pub(crate) paths: Vec<String>,
    pub(crate) tries: Vec<Try>,
    pub(crate) parent: u64,
    pub(crate) has_backup_id: bool,
    /// By deduplication and by compression, in percent.
    pub(crate) dedup: Option<(f64, f64)>,
    pub(crate) accelerator: Option<f64>,
    pub(crate) moved: Option<u64>,
    pub(crate) reason: String,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            id: 4711,
            kind: 0,
            state: 3,
            status: Some(0),
            policy: "daily".to_owned(),
            schedule: "Full".to_owned(),
            client: "mail01".to_owned(),
            started: 1_795_316_400,
            elapsed: 90,
            ended: Some(1_795_316_490),
            kilobytes: Some(247_834),
            files: Some(1200),
            last_path: "/etc".to_owned(),
            policy_type: Some(0),
            schedule_type: Some(0),
            paths: vec!["/etc".to_owned(), "/home".to_owned()],
            tries: vec![Try {
                messages: vec![
                    "11/22/2026 03:00:00 - Info nbjm (pid=1) starting backup".to_owned(),
                    "11/22/2026 03:01:30 - end writing; write time: 0:01:20".to_owned(),
                ],
                started: 1_795_316_401,
                status: 0,
                kilobytes: Some(247_834),
                files: Some(1200),
            }],
            parent: 4711,
            has_backup_id: true,
            dedup: None,
            accelerator: None,
            moved: None,
            reason: String::new(),
        }
    }
}

/// `\` and `,` in a value have a `\` before them.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(',', "\\,")
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

fn percent(percent: Option<f64>) -> String {
    percent.map_or_else(String::new, |percent| format!("{percent:.6}"))
}

impl Job {
    /// With `-most_columns`: the lengths of the lists.
    pub(crate) fn most_columns(&self, version: Version) -> String {
        let counts = [self.paths.len().to_string(), self.tries.len().to_string()];
        [self.fixed(), counts.to_vec(), self.tail(version)]
            .concat()
            .join(",")
    }

    /// With `-all_columns`: the lists.
    pub(crate) fn all_columns(&self, version: Version) -> String {
        let mut lists = vec![self.paths.len().to_string()];
        lists.extend(self.paths.iter().map(|path| escaped(path)));
        lists.push(self.tries.len().to_string());
        for attempt in &self.tries {
            lists.extend(["99", "disk1", "media1"].map(str::to_owned));
            lists.extend([
                attempt.started.to_string(),
                format!("{:010}", self.elapsed),
                number(self.ended),
                attempt.status.to_string(),
                escaped("the requested operation was, in part, successful"),
                attempt.messages.len().to_string(),
            ]);
            lists.extend(attempt.messages.iter().map(|message| escaped(message)));
            lists.extend([number(attempt.kilobytes), number(attempt.files)]);
        }
        [self.fixed(), lists, self.tail(version)].concat().join(",")
    }

    fn fixed(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.kind.to_string(),
            self.state.to_string(),
            number(self.status),
            escaped(&self.policy),
            escaped(&self.schedule),
            escaped(&self.client),
            "media1".to_owned(),
            self.started.to_string(),
            format!("{:010}", self.elapsed),
            number(self.ended),
            "disk1".to_owned(),
            self.tries.len().to_string(),
            "3".to_owned(),
            number(self.kilobytes),
            number(self.files),
            escaped(&self.last_path),
            "100".to_owned(),
            "4242".to_owned(),
            "root".to_owned(),
            "1".to_owned(),
            number(self.policy_type),
            number(self.schedule_type),
            "99999".to_owned(),
            "root".to_owned(),
            "primary1".to_owned(),
            "1".to_owned(),
            "14".to_owned(),
            "0".to_owned(),
            "200000".to_owned(),
            "1000".to_owned(),
        ]
    }

    fn tail(&self, version: Version) -> Vec<String> {
        let mut tail = format!("{},2753,1,,,,0,0,,,,,1", self.parent);
        if version == Version::V4 {
            return vec![tail];
        }
        let backup_id = format!("{}_{:010}", self.client, self.started);
        let backup_id = if self.has_backup_id {
            escaped(&backup_id)
        } else {
            String::new()
        };
        write!(tail, ",0,0,1,0,0,{backup_id},1,primary1").unwrap();
        let rate = percent(self.dedup.map(|(space, compression)| space + compression));
        let accelerator = percent(self.accelerator);
        let reason = escaped(&self.reason);
        match version {
            Version::V4 | Version::V6 => {}
            Version::V7 => write!(tail, ",0,0,0,{reason},{rate},{accelerator},ORCL").unwrap(),
            Version::V9 => {
                let moved = number(self.moved);
                let (space, compression) = self.dedup.unzip();
                let (space, compression) = (percent(space), percent(compression));
                write!(
                    tail,
                    ",0,0,{reason},{rate},{accelerator},,,{moved},,,0,,{space},{compression}"
                )
                .unwrap();
            }
        }
        vec![tail]
    }
}
