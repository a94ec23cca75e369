//! What is secret is neither logged, however much is logged, nor kept as it is.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anomaly_model::chrono::{DateTime, Utc};

use crate::service::{Home, PASSWORD, agent};

const HOOK_SECRET: &str = "the key of the webhook, 32 bytes or more";
const API_KEY: &str = "A1uMjmj93mrpsW9qWroT-paNdMSDPdABCEDi7PRPD";
const BUCKET_KEY: &str = "the key of the bucket";
const WRONG: &str = "almost the password, mistyped";

#[test]
fn nothing_secret_is_in_the_log_or_the_database() {
    let home = Home::new();
    let secret = home.write("hook.key", HOOK_SECRET);
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let api_key = home.write("netbackup.key", API_KEY);
    let environment = home.write("bucket.env", &format!("BUCKET_KEY={BUCKET_KEY}\n"));
    let tool = home.write(
        "restic",
        "#!/bin/sh\necho \"bad key $BUCKET_KEY\" >&2\nexit 1\n",
    );
    for (path, mode) in [(&api_key, 0o600), (&environment, 0o600), (&tool, 0o700)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    // Nobody listens there: that it fails is logged.
    let file = home.write(
        "config.toml",
        &format!(
            "[[sinks]]\nname = \"hook\"\n[sinks.webhook]\nurl = \"http://127.0.0.1:9/\"\n\
             secret_file = \"{secret}\"\n\
             [[gather]]\nname = \"primary\"\n[gather.netbackup]\n\
             address = \"netbackup+https://127.0.0.1:9\"\napi_key_file = \"{api_key}\"\n\
             [[gather]]\nname = \"bucket\"\n[gather.restic]\nprogram = \"{tool}\"\n\
             environment_file = \"{environment}\"\n"
        ),
    );
    home.add_administrator();
    let log = home.path().join("log");
    let service = home.serve_with(&["--config", &file], |command| {
        command
            .env("RUST_LOG", "trace")
            .stderr(File::create(&log).unwrap());
    });
    let agent = agent();
    let sign_in = |password: &str| {
        let answer = agent
            .post(format!("{}/sign-in", service.base))
            .header("sec-fetch-site", "same-origin")
            .send_form([("name", "ann"), ("password", password)]);
        answer.unwrap()
    };
    assert_eq!(sign_in(WRONG).status(), 401);
    let answer = sign_in(PASSWORD);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let session = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    let key = service.key();
    let failed = serde_json::json!({
        "source": "restic", "job_id": "1", "client": "mail01", "policy": "daily",
        "started_at": DateTime::<Utc>::from(SystemTime::now()), "status": "failed",
    });
    let handed_over = agent
        .post(format!("{}/api/v1/jobs", service.base))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .send(failed.to_string());
    assert_eq!(handed_over.unwrap().status(), 200);
    // A sink that cannot be reached is in the log, and sources that cannot be read.
    let text = || fs::read_to_string(&log).unwrap();
    let begun = Instant::now();
    let failures = ["the sink fails", "source=\"primary\"", "bad key ***"];
    while !failures.iter().all(|failure| text().contains(failure)) {
        assert!(begun.elapsed() < Duration::from_mins(1), "{}", text());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(service.terminate().status.success());

    let log = text();
    assert!(log.contains("TRACE"), "it is asked for all that there is");
    let secrets = [
        PASSWORD,
        WRONG,
        &session,
        &key,
        HOOK_SECRET,
        API_KEY,
        BUCKET_KEY,
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    // Sessions and what a sink needs are not kept at all; passwords and keys are, as hashes.
    let database = fs::read(home.database()).unwrap();
    for secret in secrets {
        let secret = secret.as_bytes();
        let is_kept = database.windows(secret.len()).any(|part| part == secret);
        assert!(!is_kept, "{} is in the database", secret.escape_ascii());
    }
}
