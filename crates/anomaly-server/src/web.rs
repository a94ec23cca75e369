//! What people see.

mod account;
mod anomalies;
mod anomaly;
mod assets;
mod audit;
mod backtest;
mod bell;
mod calendar_strip;
mod chart;
mod chrome;
mod dashboard;
mod first_run;
mod incidents;
mod review_form;
mod settings;
mod settings_form;
mod sign_in;
mod sinks;
mod sources;
mod streams;
mod users;
mod words;

use axum::routing::{get, post};

use crate::account::Permission::{Administer, Configure, OwnAccount, Review, See};
use crate::guard::Access::{Anyone, Needs};
use crate::routes::Route;

pub(crate) use chrome::problem_page;
pub(crate) use words::{address, encoded, kind, spread};

/// The pages, and the forms on them.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("GET", "/assets/{file}", Anyone, get(assets::asset)),
        Route::new("GET", "/first-run", Anyone, get(first_run::page)),
        Route::new("POST", "/first-run", Anyone, post(first_run::create)),
        Route::new("GET", "/sign-in", Anyone, get(sign_in::page)),
        Route::new("POST", "/sign-in", Anyone, post(sign_in::sign_in)),
        Route::new("POST", "/sign-out", Anyone, post(sign_in::sign_out)),
        Route::new("GET", "/", Needs(See), get(dashboard::page)),
        Route::new("GET", "/anomalies", Needs(See), get(anomalies::page)),
        Route::new("GET", "/anomalies.csv", Needs(See), get(anomalies::csv)),
        Route::new(
            "POST",
            "/anomalies/reviews",
            Needs(Review),
            post(review_form::review_many),
        ),
        Route::new(
            "GET",
            "/anomalies/{source}/{job_id}",
            Needs(See),
            get(anomaly::page),
        ),
        Route::new(
            "POST",
            "/anomalies/{source}/{job_id}/reviews",
            Needs(Review),
            post(review_form::review),
        ),
        Route::new(
            "POST",
            "/anomalies/{source}/{job_id}/reviews/take-back",
            Needs(Review),
            post(review_form::take_back),
        ),
        Route::new("GET", "/incidents", Needs(See), get(incidents::list)),
        Route::new(
            "GET",
            "/incidents/{number}",
            Needs(See),
            get(incidents::page),
        ),
        Route::new("GET", "/streams", Needs(See), get(streams::page)),
        Route::new("GET", "/settings", Needs(See), get(settings::page)),
        Route::new(
            "POST",
            "/settings",
            Needs(Configure),
            post(settings_form::change),
        ),
        Route::new(
            "POST",
            "/settings/scopes",
            Needs(Configure),
            post(settings_form::change_scope),
        ),
        Route::new(
            "POST",
            "/settings/proposals/{number}/approve",
            Needs(Configure),
            post(settings_form::approve),
        ),
        Route::new(
            "POST",
            "/settings/proposals/{number}/refuse",
            Needs(Configure),
            post(settings_form::refuse),
        ),
        Route::new(
            "GET",
            "/settings/backtests/{id}",
            Needs(See),
            get(backtest::page),
        ),
        Route::new(
            "POST",
            "/settings/backtests/{id}/stop",
            Needs(Configure),
            post(backtest::stop),
        ),
        Route::new(
            "POST",
            "/settings/backtests/{id}/save",
            Needs(Configure),
            post(backtest::save),
        ),
        Route::new("GET", "/notifications", Needs(See), get(sinks::page)),
        Route::new(
            "POST",
            "/notifications/{name}/test",
            Needs(Configure),
            post(sinks::test),
        ),
        Route::new("GET", "/sources", Needs(See), get(sources::page)),
        Route::new(
            "POST",
            "/sources/{name}/read",
            Needs(Configure),
            post(sources::read_now),
        ),
        Route::new("GET", "/bell", Needs(OwnAccount), get(bell::page)),
        Route::new("GET", "/bell/menu", Needs(OwnAccount), get(bell::menu)),
        Route::new(
            "POST",
            "/bell/read",
            Needs(OwnAccount),
            post(bell::read_all),
        ),
        Route::new(
            "POST",
            "/bell/{number}/read",
            Needs(OwnAccount),
            post(bell::read_one),
        ),
        Route::new("GET", "/audit", Needs(See), get(audit::page)),
        Route::new("GET", "/account", Needs(OwnAccount), get(account::page)),
        Route::new(
            "POST",
            "/account/password",
            Needs(OwnAccount),
            post(account::set_password),
        ),
        Route::new(
            "POST",
            "/account/second-factor",
            Needs(OwnAccount),
            post(account::set_second_factor),
        ),
        Route::new("GET", "/users", Needs(Administer), get(users::page)),
        Route::new("POST", "/users", Needs(Administer), post(users::add)),
        Route::new(
            "POST",
            "/users/{name}/remove",
            Needs(Administer),
            post(users::remove),
        ),
        Route::new(
            "POST",
            "/users/{name}/role",
            Needs(Administer),
            post(users::set_role),
        ),
        Route::new(
            "POST",
            "/users/password",
            Needs(Administer),
            post(users::set_password),
        ),
        Route::new(
            "POST",
            "/users/{name}/second-factor/remove",
            Needs(Administer),
            post(users::remove_second_factor),
        ),
        Route::new("POST", "/api-keys", Needs(Administer), post(users::add_key)),
        Route::new(
            "POST",
            "/api-keys/{id}/remove",
            Needs(Administer),
            post(users::remove_key),
        ),
    ]
}
