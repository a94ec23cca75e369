//! Which anomalies belong together.

use crate::section::section;
use crate::{ClientHours, FleetHours, ManyClients};

section! {
    /// Which anomalies belong together, so that they are one page and not twenty.
    pub struct IncidentSettings, pub(crate) overrides IncidentOverrides, prefix "incidents." {
        /// Hours within which anomalies of one client belong together, each from the one before.
        ///
        /// 192, eight days: a week holds a job of every usual schedule, and a weekly one may be late.
        /// Longer makes one of what is not; shorter tells each stream of a client apart.
        client_hours: ClientHours = ClientHours::default(),

        /// Hours within which anomalies of many clients belong together.
        ///
        /// 24, because an attack on many clients shows when each is backed up next, and that is
        /// within a day. Of low severity none counts, but those of missed backups.
        fleet_hours: FleetHours = FleetHours::default(),

        /// How many clients with anomalies within `fleet_hours` are one incident.
        ///
        /// Fewer are separate ones. By chance a stream raises one false alarm a year, most of them low:
        /// a thousand streams have five clients with more on one day in some years. Ten
        /// thousand streams need about 30 here. NetBackup has no counterpart.
        clients: ManyClients = ManyClients::default(),
    }
}
