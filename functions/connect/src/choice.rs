//! A user who is back picks organisations by Xero's names (XC-03). Only those are signed up; the others stand as
//! connected and not used, each with a button that ends its connection.

use access::{NotReady, NotSignedUp};
use jiff::tz::TimeZone;
use payments::oauth_state::{Choice, visit_key};
use payments::{OrganisationId, Settings};
use queue::{ScheduleTask, ScheduledWork};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;
use xero::iana_zone;

use crate::Connector;
use crate::launch::trouble;
use crate::pages::{Line, Standing, VisitOutcome};
use crate::request::Request;
use crate::response::{Response, cookie_name};

/// A user who is back, known by the cookie.
struct Visitor {
    cookie: SecretString,
    choice: Choice,
}

impl Connector {
    /// The page with what the user may pick.
    pub(crate) async fn choices(&self, request: &Request, base: &Url) -> Response {
        let shown = async {
            let visitor = self.visitor(request, base).await?;
            Ok(self.pages.choose(&self.lines(&visitor.choice).await?))
        };
        shown.await.unwrap_or_else(|outcome| self.pages.outcome(outcome))
    }

    /// Signs up what was picked, and leads to a page that shows what came of it.
    pub(crate) async fn choose(&self, request: &Request, base: &Url) -> Response {
        let chosen = async {
            let Visitor { cookie, mut choice } = self.visitor(request, base).await?;
            let picked = picked(request, &choice);
            choice.outcomes.clear();
            for organisation in picked {
                let words = self.take(organisation, &choice, request.value("time_zone")).await;
                choice.outcomes.push((organisation, words?));
            }
            let stored = self.tables.begin_choice(&visit_key(&cookie), &choice).await;
            stored.map_err(|error| trouble(&error))?;
            Ok(Response::redirect(303, "/done"))
        };
        chosen.await.unwrap_or_else(|outcome| self.pages.outcome(outcome))
    }

    /// The page with what came of it.
    pub(crate) async fn done(&self, request: &Request, base: &Url) -> Response {
        let shown = async {
            let choice = self.visitor(request, base).await?.choice;
            let missing = choice.organisation.filter(|wanted| !is_offered(&choice, *wanted));
            let missing = match missing {
                Some(wanted) => Some(self.name_of(wanted).await?),
                None => None,
            };
            Ok(self.pages.done(&self.lines(&choice).await?, missing))
        };
        shown.await.unwrap_or_else(|outcome| self.pages.outcome(outcome))
    }

    /// Ends the connection of an organisation that is not used.
    pub(crate) async fn disconnect(&self, request: &Request, base: &Url) -> Response {
        let ended = async {
            let Visitor { cookie, mut choice } = self.visitor(request, base).await?;
            let organisation = picked(request, &choice).into_iter().next();
            let organisation = organisation.ok_or(VisitOutcome::NotFound)?;
            if self.standing(organisation).await? == Standing::SignedUp {
                return Err(VisitOutcome::InUse);
            }
            let said = (choice.by.as_str(), choice.why.as_str());
            let now = self.clock.now();
            let ended = self.xero.end_unused(&self.tables, organisation, said, now).await;
            ended.map_err(|error| trouble(&error))?;
            choice.offered.retain(|(known, _)| *known != organisation);
            let stored = self.tables.begin_choice(&visit_key(&cookie), &choice).await;
            stored.map_err(|error| trouble(&error))?;
            Ok(Response::redirect(303, "/done"))
        };
        ended.await.unwrap_or_else(|outcome| self.pages.outcome(outcome))
    }

    async fn visitor(&self, request: &Request, base: &Url) -> Result<Visitor, VisitOutcome> {
        let cookie = request.cookie(cookie_name(base)).ok_or(VisitOutcome::NoChoice)?;
        let choice = self.tables.choice(&visit_key(&cookie)).await;
        let choice = choice.map_err(|error| trouble(&error))?;
        let choice = choice.filter(|choice| self.clock.now() < choice.until);
        Ok(Visitor { cookie, choice: choice.ok_or(VisitOutcome::NoChoice)? })
    }

    async fn lines(&self, choice: &Choice) -> Result<Vec<Line>, VisitOutcome> {
        let mut lines = Vec::with_capacity(choice.offered.len());
        for (organisation, name) in &choice.offered {
            let outcome = choice.outcomes.iter().find(|(of, _)| of == organisation);
            lines.push(Line {
                id: organisation.to_string(),
                name: name.clone(),
                standing: self.standing(*organisation).await?,
                outcome: outcome.map(|(_, words)| words.clone()),
            });
        }
        Ok(lines)
    }

    async fn standing(&self, organisation: OrganisationId) -> Result<Standing, VisitOutcome> {
        let known = self.tables.settings(organisation).await.map_err(|error| trouble(&error))?;
        Ok(match known {
            None => Standing::NotUsed,
            Some(settings) if settings.disconnected_at.is_some() => Standing::Disconnected,
            Some(_) => Standing::SignedUp,
        })
    }

    async fn name_of(&self, organisation: OrganisationId) -> Result<String, VisitOutcome> {
        let row = self.tables.organisation(organisation).await.map_err(|error| trouble(&error))?;
        let name = row.and_then(|row| row.name);
        Ok(name.unwrap_or_else(|| "the organisation of your link".to_owned()))
    }

    /// Signs an organisation up, or lets it work again, and says in words what came of it.
    async fn take(
        &self,
        organisation: OrganisationId,
        choice: &Choice,
        zone: Option<&str>,
    ) -> Result<String, VisitOutcome> {
        let (said, now) = ((choice.by.as_str(), choice.why.as_str()), self.clock.now());
        match self.standing(organisation).await? {
            Standing::SignedUp => {
                return Ok("It was connected already; nothing has changed.".to_owned());
            }
            Standing::Disconnected => {
                let again = self.tables.reconnect(organisation, said, now).await;
                again.map_err(|error| trouble(&error))?;
                self.begin(organisation).await;
                return Ok(
                    "It is connected again, and catches up with what has changed meanwhile."
                        .to_owned(),
                );
            }
            Standing::NotUsed => {}
        }
        let zone = match self.zone(organisation, zone).await {
            Ok(zone) => zone,
            Err(problem) => return Ok(problem),
        };
        let settings = Settings::new(organisation, zone);
        let secret = self.webhook_secret.as_ref();
        match self.xero.sign_up(&self.tables, &settings, secret, said, now).await {
            Ok(_) => {}
            Err(NotSignedUp::Already) => {
                return Ok("It was connected already; nothing has changed.".to_owned());
            }
            Err(NotSignedUp::NotReady(NotReady(problem))) => {
                return Ok(format!("It was not signed up: {problem}."));
            }
            Err(error @ NotSignedUp::Tables(_)) => return Err(trouble(&error)),
        }
        self.begin(organisation).await;
        tracing::info!(xero.tenant_id = %organisation, "an organisation was signed up");
        Ok("It is signed up. Its open invoices are being read.".to_owned())
    }

    /// The time zone that the user has picked, or else the one that Xero has.
    async fn zone(
        &self,
        organisation: OrganisationId,
        picked: Option<&str>,
    ) -> Result<TimeZone, String> {
        let name = match picked {
            Some(name) => name.to_owned(),
            None => match self.xero.organisation(organisation).await {
                Ok(shown) => {
                    let word = shown.time_zone.unwrap_or_default();
                    let zone = iana_zone(&word).ok_or_else(|| {
                        format!("It was not signed up: pick its time zone, since Xero's {word} is not known here.")
                    });
                    zone?.to_owned()
                }
                Err(error) => return Err(format!("It was not signed up: {error}.")),
            },
        };
        TimeZone::get(&name)
            .map_err(|_| "It was not signed up: there is no such time zone.".to_owned())
    }

    /// Puts its first work on the queue. Without that, the next schedule begins with it.
    async fn begin(&self, organisation: OrganisationId) {
        let Some(schedules) = &self.schedules else { return };
        let scheduled_at = self.clock.now();
        let tasks = [ScheduledWork::Check, ScheduledWork::Changes, ScheduledWork::Open]
            .map(|work| ScheduleTask::Organisation { work, organisation, scheduled_at });
        if let Err(error) = schedules.send(&tasks).await {
            tracing::warn!(xero.tenant_id = %organisation, error = %error, "the next schedule begins with it");
        }
    }
}

fn is_offered(choice: &Choice, organisation: OrganisationId) -> bool {
    choice.offered.iter().any(|(known, _)| *known == organisation)
}

/// The organisations of a form, as far as they were offered to this browser.
fn picked(request: &Request, choice: &Choice) -> Vec<OrganisationId> {
    let ids = request.values("organisation").filter_map(|id| Uuid::parse_str(id).ok());
    let mut picked: Vec<_> = ids.map(OrganisationId::new).collect();
    picked.retain(|organisation| is_offered(choice, *organisation));
    picked.dedup();
    picked
}
