//! The settings of an organisation's connections (CC-11): what they are, where each is changed, and the names
//! that pages show. For administrators.

use askama::Template;
use payments::Settings;
use payments::close::Calendar;
use payments::upload::UploadSettings;
use serde_json::json;

use super::{Page, PageError, Stage, filled};
use crate::order::Order;
use crate::view::{Button, Buttons, Frame, Sign};

struct Setting {
    what: &'static str,
    value: String,
    place: &'static str,
}

/// A setting of the daily close, in full.
struct CloseSetting {
    what: &'static str,
    value: String,
    meaning: &'static str,
    default: String,
    check: &'static str,
    effect: String,
    /// What makes no sense, and what stands in its place.
    mistakes: Vec<String>,
}

/// Holidays that are named.
const COMING_MAX: usize = 12;

#[derive(Template)]
#[template(path = "configure.html")]
struct Configure {
    frame: Frame,
    sign: Option<Sign>,
    name: String,
    administrator: String,
    bank_feed: String,
    payment_gateway: String,
    save: Option<Button>,
    close: Vec<CloseSetting>,
    settings: Vec<Setting>,
    sign_up: Option<Button>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    stage.count(1);
    let typed = |typed: &str, stored: &Option<String>| match stage.keep_why {
        // Typed text that was not saved is still there.
        true => typed.to_owned(),
        false => stored.clone().unwrap_or_default(),
    };
    let names = &stage.show.names;
    let mut settings = of_mirror(stage.settings);
    settings.extend(of_upload(stage.settings.upload.as_ref()));
    settings.extend(elsewhere());
    filled(&Configure {
        frame: stage.frame(),
        sign: stage.sign(),
        name: typed(&names.name, &stage.row.name),
        administrator: typed(&names.administrator, &stage.row.administrator),
        bank_feed: typed(&names.bank_feed, &stage.row.bank_feed),
        payment_gateway: typed(&names.payment_gateway, &stage.row.payment_gateway),
        save: stage.order(Order::Rename, json!({})),
        close: of_close(stage),
        settings,
        sign_up: sign_up(stage.buttons),
    })
}

/// A button that signs up the organisation whose id is typed next to it.
pub(crate) fn sign_up(buttons: &Buttons) -> Option<Button> {
    let of_nobody = Buttons { organisation: None, ..buttons.clone() };
    of_nobody.order(Order::SignUp, Page::Configure, json!({}))
}

const ROW: &str = "table organisations";

fn of_mirror(settings: &Settings) -> Vec<Setting> {
    let set = |what, value| Setting { what, value, place: ROW };
    let any = |value: Option<String>, none: &str| value.unwrap_or_else(|| none.to_owned());
    vec![
        set("mirror_enabled", settings.mirror_enabled.to_string()),
        set("prefix", settings.prefix.to_string()),
        set("time_zone", settings.zone.iana_name().unwrap_or("").to_owned()),
        set(
            "forward_days",
            any(settings.forward_days.map(|days| days.to_string()), "all days ahead"),
        ),
        set("cutover_on", any(settings.cutover_on.map(|day| day.to_string()), "none")),
        set("calls_per_day", settings.calls_per_day.to_string()),
        set(
            "mass_change_max",
            any(settings.mass_change_max.map(|max| max.to_string()), "no brake"),
        ),
    ]
}

fn of_upload(upload: Option<&UploadSettings>) -> Vec<Setting> {
    let set = |what, value| Setting { what, value, place: ROW };
    let Some(upload) = upload else {
        return vec![set("upload_enabled", "not set up: nothing is uploaded".to_owned())];
    };
    let none = || "none".to_owned();
    vec![
        set("upload_enabled", upload.enabled.to_string()),
        set("upload_start", upload.start.to_string()),
        set("upload_when", upload.when.to_string()),
        set("upload_nightly_max", upload.nightly_max.to_string()),
        set("upload_bundle_max", upload.bundle_max.to_string()),
        set("upload_due_at", upload.due_at.strftime("%H:%M").to_string()),
        set("same_money_days", upload.same_money_days.to_string()),
        set("upload_account_id", upload.account.to_string()),
        set("prepayment_account_code", upload.prepayment_account.clone().unwrap_or_else(none)),
        set(
            "merchant_contact_id",
            upload.merchant_contact.map_or_else(none, |contact| contact.to_string()),
        ),
        set(
            "fee_accounts",
            upload
                .fee_accounts
                .iter()
                .map(|(kind, account)| format!("{kind}: {}", account.code))
                .collect::<Vec<_>>()
                .join(", "),
        ),
    ]
}

/// When business days are closed: the meaning, the default, and the effect as the settings are now.
fn of_close(stage: &Stage<'_>) -> Vec<CloseSetting> {
    let (close, calendar) = (&stage.settings.close, Calendar::of(stage.settings));
    let next = calendar.day_of(stage.now);
    let today = stage.settings.today(stage.now);
    let coming: Vec<_> = close.holidays.range(today..).map(ToString::to_string).collect();
    let mistakes = |of: &str| {
        close.mistakes.iter().filter(|words| words.contains(of)).cloned().collect::<Vec<_>>()
    };
    let ends = stage.moment(calendar.closes_at(next));
    let without = coming.iter().take(COMING_MAX).cloned().collect::<Vec<_>>().join(", ");
    vec![
        CloseSetting {
            what: "close_at",
            value: close.at.strftime("%H:%M").to_string(),
            meaning: "When a business day ends, by the clock of the organisation's time zone. A quarter of an hour later the \
                      day is closed: its payments are compared with orders, invoices and Xero.",
            default: "18:00".to_owned(),
            check: "A time from 04:00 to 23:59, such as 17:30.",
            effect: format!(
                "The business day {next} ends {ends}. Days that are closed stay as they were."
            ),
            mistakes: mistakes("close_at"),
        },
        CloseSetting {
            what: "holidays",
            value: match coming.len() {
                0 => "none from today on".to_owned(),
                days => format!("{days} from today on"),
            },
            meaning: "Weekdays without business. They have no close, as Saturdays and Sundays have none: the next business day \
                      covers them.",
            default: "none".to_owned(),
            check: "A list of days such as 2026-12-25; at most 366.",
            effect: match without.is_empty() {
                true => "Every day from Monday to Friday is closed.".to_owned(),
                false => format!("No close on {without}."),
            },
            mistakes: mistakes("holidays"),
        },
    ]
}

/// Settings that are not in the organisation's row. Keys are never shown.
fn elsewhere() -> Vec<Setting> {
    let there = |what, place| Setting { what, value: "not shown here".to_owned(), place };
    vec![
        there(
            "Credentials of the connection to Xero",
            "secret: output XeroApiSecretArn of the stack",
        ),
        there("Signing keys of the webhook", "secret: output XeroWebhookSecretArn of the stack"),
        there("When the night's upload runs", "parameters UploadTime, UploadTimeZone of the stack"),
        there("When all open invoices are compared", "parameter FullSweepTime of the stack"),
        there("When it is certified", "parameter CertificateTime of the stack"),
    ]
}
