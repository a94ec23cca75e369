//! One-time passwords.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use totp_rs::{Builder, Secret, Totp};

use crate::Service;
use crate::client::{Browser, PASSWORD};

/// An authenticator that has taken over what the person's page offers.
fn authenticator(browser: &Browser<'_>) -> Totp {
    let page = browser.open("/account").text;
    let (_, offered) = page.split_once("class=\"secret\">").unwrap();
    let secret = offered.split('<').next().unwrap();
    let secret = Secret::try_from_base32(secret).unwrap();
    Builder::new().with_secret(secret).build().unwrap()
}

/// The one-time password of now, and the next one.
fn codes(authenticator: &Totp) -> (String, String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let code = |seconds| authenticator.generate(seconds).to_string();
    (code(now.as_secs()), code(now.as_secs() + 30))
}

/// One that is none of these.
fn wrong(right: [&str; 2]) -> &'static str {
    let mut wrong = ["000000", "000001", "000002"].into_iter();
    wrong.find(|code| !right.contains(code)).unwrap()
}

fn set_up(browser: &mut Browser<'_>, code: &str) -> u16 {
    let answer = browser.send("/account/second-factor", &[("code", code)]);
    answer.status
}

#[test]
fn a_second_factor_is_asked_for_and_good_once() {
    let service = Service::start();
    let mut ann = service.administrator();
    let (code, next_code) = codes(&authenticator(&ann));
    assert_eq!(set_up(&mut ann, wrong([&code, &next_code])), 422);
    assert_eq!(set_up(&mut ann, &code), 303);

    let mut browser = service.browser();
    assert_eq!(browser.sign_in("ann", PASSWORD, "").status, 401);
    assert_eq!(
        browser.sign_in("ann", PASSWORD, &code).status,
        401,
        "it was used"
    );
    assert_eq!(browser.sign_in("ann", "wrong", &next_code).status, 401);
    assert_eq!(browser.sign_in("ann", PASSWORD, &next_code).status, 303);
    assert_eq!(browser.sign_in("ann", PASSWORD, &next_code).status, 401);
}

/// What was offered in another session takes the place of nothing that was set up meanwhile.
#[test]
fn a_second_factor_is_set_up_once() {
    let service = Service::start();
    let mut ann = service.administrator();
    let mut elsewhere = service.administrator_again();
    let (code, next_code) = codes(&authenticator(&ann));
    let (other_code, other_next_code) = codes(&authenticator(&elsewhere));
    assert_eq!(set_up(&mut ann, &code), 303);
    assert_eq!(set_up(&mut elsewhere, &other_code), 409);
    let mut browser = service.browser();
    let wrong = browser.sign_in("ann", PASSWORD, &other_next_code);
    let right = browser.sign_in("ann", PASSWORD, &next_code);
    assert_eq!((wrong.status, right.status), (401, 303));
    let audit = ann.open("/api/v1/audit").text;
    assert_eq!(audit.matches("add_second_factor").count(), 1, "{audit}");
}

/// Who knows the password cannot try all one-time passwords, from wherever he asks, and is told of; a
/// new password lets the person in at once.
#[test]
fn who_guesses_one_time_passwords_has_to_wait_and_is_told_of() {
    let service = Service::start();
    let ann = service.administrator();
    let new = json!({ "name": "bob", "password": PASSWORD, "role": "operator" });
    assert_eq!(ann.call("POST", "/api/v1/users", Some(&new)).status, 201);
    let mut bob = service.browser();
    bob.sign_in("bob", PASSWORD, "");
    let (code, next_code) = codes(&authenticator(&bob));
    assert_eq!(set_up(&mut bob, &code), 303);

    let mut browser = service.browser();
    for _ in 0..5 {
        let guess = wrong([&code, &next_code]);
        assert_eq!(browser.sign_in("bob", PASSWORD, guess).status, 401);
    }
    let waits = browser.sign_in("bob", PASSWORD, &next_code);
    assert_eq!(waits.status, 401, "the right one is not looked at either");
    ann.wait_for("/api/v1/notifications", |answer| {
        let told = "Somebody who knows the password of bob has sent several wrong one-time";
        answer.text.contains(told)
    });
    // Whoever is in stays in.
    assert_eq!(bob.open("/").status, 200);

    let change = json!({ "password": "another battery horse" });
    ann.call("PATCH", "/api/v1/users/bob", Some(&change));
    let right = browser.sign_in("bob", "another battery horse", &next_code);
    assert_eq!(right.status, 303);
}
