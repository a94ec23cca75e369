//! Nobody takes more of the service than there is for him.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
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
    fn address(&self) -> SocketAddr {
        let address = self.base.strip_prefix("http://").unwrap();
        address.parse().unwrap()
    }

    /// Another machine connects, as far as the service knows: 127.0.0.`number`.
    fn connect_from(&self, number: u8) -> TcpStream {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(([127, 0, 0, number], 0).into()).unwrap();
            socket.connect(self.address()).await.unwrap()
        });
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        stream
    }

    /// Says something, and hangs up no more.
    fn say(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).unwrap();
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
    assert_eq!(service.health(), 200);
}

/// Whoever does not say what he wants, or does not take what he is told, is given up.
#[test]
fn a_connection_on_which_nothing_goes_on_is_given_up() {
    let home = Home::new();
    let (service, _) = limited(&home);
    let half = "GET /health HT";
    let of_http_2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for said in ["", "G", half, of_http_2, "PRI * HTTP/2.0\r\n"] {
        let answer = answer(service.say(said));
        assert!(!answer.contains(" 200 "), "{said}: {answer}");
    }
    // One that was answered, and says no more.
    let answer = answer(service.say("GET /health HTTP/1.1\r\nHost: backwatch\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    let mut deaf = service.say("");
    deaf.set_write_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    let ask = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: backwatch\r\n\r\n".repeat(100);
    let failed = loop {
        if let Err(error) = deaf.write_all(ask.as_bytes()) {
            break error.kind();
        }
    };
    let given_up = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(given_up.contains(&failed), "{failed}");
    assert_eq!(service.health(), 200);
}

/// One address takes a quarter of the connections and no more; when all are taken, whoever comes waits
/// for the first that ends, and is answered then.
#[test]
fn nobody_takes_all_connections() {
    let home = Home::new();
    // Nothing is given up by itself here.
    let limits = "[server]\nmost_connections = 8\nrequest_seconds = 3600\n";
    let service = home.serve(&["--config", &home.write("limits.toml", limits)]);
    let ask = b"GET /health HTTP/1.1\r\nHost: backwatch\r\nConnection: close\r\n\r\n";
    let mut held: Vec<TcpStream> = (2..6)
        .flat_map(|number| [number, number])
        .map(|number| service.connect_from(number))
        .collect();
    let mut waiting = service.connect_from(6);
    waiting.write_all(ask).unwrap();
    let waits = waiting.set_read_timeout(Some(Duration::from_millis(500)));
    waits.unwrap();
    let mut first = [0];
    let nothing = waiting.read(&mut first).unwrap_err().kind();
    assert_eq!(nothing, ErrorKind::WouldBlock);
    drop(held.remove(0));
    let long = waiting.set_read_timeout(Some(Duration::from_mins(1)));
    long.unwrap();
    assert!(answer(waiting).starts_with("HTTP/1.1 200 "));

    // There is room, but not for one more of these.
    let mut third = service.connect_from(3);
    assert!(matches!(third.read(&mut first), Ok(0) | Err(_)));
    let mut other = service.connect_from(7);
    other.write_all(ask).unwrap();
    assert!(answer(other).starts_with("HTTP/1.1 200 "));
}

#[test]
fn whoever_comes_when_it_is_full_is_told_so() {
    let home = Home::new();
    let (service, key) = limited(&home);
    let begun = Instant::now();
    let held = loop {
        // They are given up by themselves, perhaps before anybody has looked.
        let held = [service.promise(&key), service.promise(&key)];
        let is_full = |_| {
            thread::sleep(Duration::from_millis(20));
            service.health() == 503
        };
        if (0..50).any(is_full) {
            break held;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "never full");
    };
    for stream in held {
        assert!(answer(stream).starts_with("HTTP/1.1 408 "));
    }
    while service.health() != 200 {
        assert!(begun.elapsed() < Duration::from_mins(2), "still full");
        thread::sleep(Duration::from_millis(20));
    }
}
