//! Nobody takes more of the service than there is for him.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::service::{Home, Service, agent};

const LIMITS: &str = "
[server]
most_request_bytes = 10000
request_seconds = 2
most_requests = 2
";

/// One with these limits, and a key that was made without them.
fn limited(home: &Home) -> (Service, String) {
    home.add_administrator();
    let service = home.serve(&[]);
    let key = service.key();
    assert!(service.terminate().status.success());
    let file = home.write("limits.toml", LIMITS);
    (home.serve(&["--config", &file]), key)
}

impl Service {
    /// Says something, and hangs up no more.
    fn say(&self, text: &str) -> TcpStream {
        let address = self.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// A request whose body does not come.
    fn promise(&self, key: &str) -> TcpStream {
        self.say(&format!(
            "POST /api/v1/jobs HTTP/1.1\r\nHost: backwatch\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        ))
    }

    fn health(&self) -> u16 {
        let health = agent().get(format!("{}/health", self.base)).call();
        health.unwrap().status().as_u16()
    }
}

/// All that it answers until it hangs up.
fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_too_large_or_too_slow_is_given_up() {
    let home = Home::new();
    let (service, key) = limited(&home);
    let large = agent()
        .post(format!("{}/api/v1/jobs", service.base))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .send("x".repeat(20_000));
    assert_eq!(large.unwrap().status(), 413);

    let slow = answer(service.promise(&key));
    assert!(slow.starts_with("HTTP/1.1 408 "), "{slow}");
    // Who does not even say what he wants.
    let silent = answer(service.say("GET /health HT"));
    assert!(!silent.starts_with("HTTP/1.1 200 "), "{silent}");
    assert_eq!(service.health(), 200);
}

#[test]
fn whoever_comes_when_it_is_full_is_told_so() {
    let home = Home::new();
    let (service, key) = limited(&home);
    let held = [service.promise(&key), service.promise(&key)];
    let until = |status: u16| {
        let begun = Instant::now();
        while service.health() != status {
            assert!(begun.elapsed() < Duration::from_mins(1), "never {status}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    until(503);
    for stream in held {
        assert!(answer(stream).starts_with("HTTP/1.1 408 "));
    }
    until(200);
}
