"""Plants known mistakes into the code, one at a time, and expects that a test fails for each of them.

    python3 tests/planted_bugs.py            all of them
    python3 tests/planted_bugs.py night      those whose name contains a word

A test that does not fail is decoration. The working tree must be clean where a mistake is planted; every file is put
back as it was, also after Ctrl-C.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SENDING = "functions/upload/src/submission.rs"
CAPS = "shared/table/src/caps.rs"
LEDGER = "shared/payments/src/upload/ledger.rs"
PROOF = "shared/payments/src/upload/evidence.rs"
NIGHT = "shared/payments/src/upload/night.rs"
BUDGET = "shared/payments/src/budget.rs"
PLACE = "shared/payments/src/sweep/cursor.rs"
DUPLICATE = "shared/payments/src/upload/duplicate.rs"
JUDGING = "functions/upload/src/evaluation.rs"
SWEEPING = "shared/xero/src/changed_invoices.rs"
JUDGING_A_DAY = "shared/payments/src/close/judgement.rs"
CALENDAR = "shared/payments/src/close/calendar.rs"
DOCUMENTS = "shared/payments/src/order_comparison.rs"
AGREEMENT = "shared/payments/src/invoice_discrepancies.rs"
DISCREPANCY = "shared/payments/src/discrepancy.rs"
BALANCE = "shared/payments/src/balance.rs"
ORDERS = "shared/table/src/orders.rs"
DISCONNECTION = "shared/access/src/disconnection.rs"
CHART = "shared/payments/src/upload/chart.rs"
CONNECT = ["-p", "connect", "--test", "it"]
HOURLY = ["-p", "operations", "--test", "it", "connections"]
UPLOAD = ["-p", "upload", "--test", "it"]
SWEEP = ["-p", "sweep", "--test", "it"]
RECONCILE = ["-p", "reconcile", "--test", "it"]
# Another package has the name of the console.
CONSOLE = ["-p", "console@0.1.0", "--test", "it"]
# The same money by two hands: every order of events.
MONEY = [*UPLOAD, "money_law"]
# A test that has failed need not find the shortest way to fail.
ENVIRONMENT = {**os.environ, "PROPTEST_MAX_SHRINK_ITERS": "0"}

# Name, what is changed (file, before, after), and the tests that must find it.
BUGS = [
    (
        "sent before it is stored that it is sent",
        [
            (SENDING, "        let written: Vec<_> = moves.values()",
             "        let early = self.put_until_clear(&bundle, &key).await;\n        let written: Vec<_> = moves.values()"),
            (SENDING, "        let put = self.put_until_clear(&bundle, &key).await;",
             "        let put = early;"),
        ],
        [*UPLOAD, "crashes"],
    ),
    (
        "another key after a time-out",
        [(SENDING, "put = Put { answers: self.put(bundle, key).await, again_at: Some(now) };",
          "put = Put { answers: self.put(bundle, &key[1..]).await, again_at: Some(now) };")],
        [*UPLOAD, "lost_answers"],
    ),
    (
        "the slot is returned while nothing is known",
        [
            (LEDGER, "if self.state == UploadState::Refused { self.free(false)",
             "if matches!(self.state, UploadState::Refused | UploadState::Unknown) { self.free(false)"),
        ],
        [*UPLOAD, "lost_answers"],
    ),
    (
        "the cap is checked, and written without asking whether it is still so",
        [(CAPS, "self.replace(CAPS, row, before.revision)", "self.put(CAPS, row)")],
        ["-p", "table", "--test", "it", "reservations"],
    ),
    (
        "what was refused is forgotten by whoever comes after a crash",
        [("functions/upload/src/unknown_outcomes.rs",
          "row.state == UploadState::Waiting || row.needs_new_plan()", "row.state == UploadState::Waiting")],
        [*UPLOAD, "crashes"],
    ),
    (
        "a sixty-first call in a minute",
        [(BUDGET, "budget.in_minute() >= MINUTE_MAX", "budget.in_minute() > MINUTE_MAX")],
        ["-p", "payments", "--test", "it", "budget"],
    ),
    (
        "the minute of a call begins with its start",
        [(BUDGET, "let at = if open.by == clock { now.max(open.at) } else { now };", "let at = open.at;")],
        ["-p", "payments", "--test", "it", "budget"],
    ),
    (
        "the count of calls is written without asking whether it is still so",
        [("shared/table/src/budgets.rs", '.condition_expression("revision = :read")',
          '.condition_expression("attribute_exists(organisation) OR revision = :read")')],
        ["-p", "table", "--test", "it", "budgets"],
    ),
    (
        "a certificate that takes a deleted payment's copy for accounted for",
        [("shared/payments/src/sweep/certificate.rs",
          'Some(_) => (Accounted::Missing, "still here, though it was deleted in Xero"),',
          'Some(_) => (Accounted::Applied, "gone"),')],
        [*SWEEP, "certificates"],
    ),
    (
        "a mass change that stops after the first payment",
        [("shared/payments/src/mass_change.rs", "let too_many = lately.saturating_add(count) > max;",
          "let too_many = lately > max;")],
        ["-p", "mirror", "--test", "it", "mass_changes"],
    ),
    (
        "the night is found by taking twelve hours off the instant",
        [(NIGHT, "        let local = instant.to_zoned(zone.clone()).datetime();\n",
          "        let local = (instant - jiff::SignedDuration::from_hours(12)).to_zoned(zone.clone()).datetime();\n"
          "        if local.year() > 0 {\n            return Self(local.date());\n        }\n")],
        ["-p", "payments", "night"],
    ),
    (
        "a refusal is believed although it may be an echo",
        [(PROOF, "let only_call = part.tries == 1 && !again && part.state == PartState::Sent;",
          "let only_call = part.tries > 0 || again;")],
        ["-p", "payments"],
    ),
    (
        "one read without the stamp is enough to send again",
        [(PROOF, "const ABSENCES_NEEDED: u32 = 2;", "const ABSENCES_NEEDED: u32 = 1;")],
        ["-p", "payments"],
    ),
    (
        "the sweep moves its cursor before everything is on the queue",
        [("functions/sweep/src/changes.rs",
          "            self.queue(cause, page.seen, &mut queued, &mut work.run).await?;\n",
          "            work.state.cursor = Some(begun);\n            self.store(work).await?;\n"
          "            self.queue(cause, page.seen, &mut queued, &mut work.run).await?;\n")],
        [*SWEEP, "crashes"],
    ),
    (
        "the sweep reads invoices only",
        [(PLACE, "(None, SweptList::Invoices) => {", "(None, SweptList::Invoices) if self.since > self.reached => {"),
         (PLACE, "(None, SweptList::Payments) => None,", "(None, _) => None,")],
        [*SWEEP, "changes"],
    ),
    (
        "the sweep takes a payment's stamp for that of its invoice",
        [(SWEEPING, "ListName::Payments => of_payment(id, &wire, raw)?,",
          "ListName::Payments => match of_payment(id, &wire, raw)? {\n"
          "            RowSubject::Invoice(seen) => RowSubject::Invoice(Seen { updated_at: Some(stamp), ..seen }),\n"
          "            other => other,\n        },")],
        [*SWEEP, "changes"],
    ),
    (
        "a sweep that failed moves Last Sync",
        [("functions/sweep/src/run.rs", "                SyncState::Failed\n", "                SyncState::Finished\n")],
        [*SWEEP, "aws_faults"],
    ),
    (
        "the sweep begins exactly where the last one began",
        [(PLACE, "SignedDuration::from_mins(10);", "SignedDuration::from_mins(0);")],
        [*SWEEP, "changes"],
    ),
    (
        "a sweep is taken without asking whether it is still free",
        [("shared/table/src/sweeps.rs", "self.replace(SWEEPS, sweep_row(&stored), sweep.revision)?",
          "self.put(SWEEPS, sweep_row(&stored))?")],
        [*SWEEP, "aws_faults"],
    ),
    (
        "two hands: an invoice's payments are not compared, and no report takes the place of a copy",
        [(DUPLICATE, ".any(|portion| is_on(money, portion) && money.amount == portion.amount);", ".any(|_| false);"),
         ("shared/payments/src/matching.rs", "        if let Some((payment, pass)) = report {",
          "        if let Some((payment, pass)) = report.filter(|_| false) {")],
        MONEY,
    ),
    (
        "two hands: a payment of another day is no question",
        [(DUPLICATE, "near.filter(|(days, _)| *days <= self.days)", "near.filter(|(days, _)| *days == 0)")],
        MONEY,
    ),
    (
        "two hands: parts over several invoices are not compared",
        [(DUPLICATE, "let of_portion = self\n", "let of_portion = self.named.len() == 1 && self\n")],
        MONEY,
    ),
    (
        "two hands: what was sent in vain is not compared again",
        [(JUDGING, "match standings.remove(&row.receipt.id) {",
          "match standings.remove(&row.receipt.id).filter(|_| row.parts.is_empty()) {"),
         (SENDING, "let standing = standings.get(&id);",
          "let first = |row: &Upload| row.parts.iter().all(|part| part.tries == 0);\n"
          "            let standing = standings.get(&id).filter(|_| rows.rows.get(&id).is_none_or(first));")],
        MONEY,
    ),
    (
        "two hands: money that names no invoice is not compared",
        [(DUPLICATE, "            money.contact == Some(contact)\n",
          "            self.named.len() > 9 && money.contact == Some(contact)\n")],
        MONEY,
    ),
    (
        "two hands: what is proven absent goes by the report that was sent",
        [("shared/payments/src/upload/reassessment.rs", "if let Some(newest) = self.reported_since.take() {",
          "if let Some(newest) = self.reported_since.take().filter(|_| false) {")],
        MONEY,
    ),
    (
        "two hands: one transaction that is reported twice is two payments",
        [(JUDGING, "self.twins(row).await?", "Vec::new()")],
        MONEY,
    ),
    (
        "two hands: what a person has called the same is deleted, and the payment is forgotten",
        [("functions/upload/src/night.rs", "        ready.extend(Box::pin(self.follow_deleted()).await?);\n", "")],
        MONEY,
    ),
    (
        "two hands: what is left of what a person has called the same is no question",
        [(DUPLICATE, ".filter(|money| claim.is_said_same(money))", ".filter(|_| false)")],
        MONEY,
    ),
    (
        "two hands: nothing is compared immediately before it is sent",
        [(SENDING, "let standing = standings.get(&id);", "let standing = standings.get(&id).filter(|_| false);")],
        [*UPLOAD, "what_a_person_enters_between_plan_and_sending"],
    ),
    (
        "what is sent again counts in the twenty hours of its first sending",
        [("functions/upload/src/reservation.rs",
          "            let granted = caps.reserve(count, sending, self.uploading.nightly_max, now);",
          "            let parts = chunk.iter().flat_map(|wanted| &wanted.row.before.parts);\n"
          "            let at = parts.filter_map(|part| part.sent_at).min().unwrap_or(now);\n"
          "            let granted = caps.reserve(count, sending, self.uploading.nightly_max, at);")],
        [*UPLOAD, "four_hundred_that"],
    ),
    # Orders, the daily close, and balances: one for each rule.
    (
        "SP-02: a payment that Xero shows is still waited for",
        [(JUDGING_A_DAY,
          "        if record.value.in_xero {\n            return JudgedPayment::new(amount, CloseStatus::Reconciled);",
          "        if false {\n            return JudgedPayment::new(amount, CloseStatus::Reconciled);"),
         (JUDGING_A_DAY, "if upload.value.reason == Skip::AlreadyInXero.code() => {", "if upload.value.reason.is_empty() => {")],
        [*RECONCILE, "shop"],
    ),
    (
        "SP-05: an order that is paid is not announced as completed",
        [(ORDERS,
          "let completed = is_paid(standing) && !known.standing.is_some_and(is_paid);",
          "let completed = false;")],
        [*RECONCILE, "orders"],
    ),
    (
        "SP-07: the progress of an order is said once and never again",
        [(ORDERS,
          "    if known.standing.map(said) == Some(said(standing)) {\n        return None;",
          "    if known.standing.is_some() {\n        return None;")],
        [*RECONCILE, "orders"],
    ),
    (
        "SP-10: what the customer was given is not compared",
        [(DOCUMENTS,
          "differs: by_invoices.is_some_and(|said| said != by_order) || receipts_differ,",
          "differs: by_invoices.is_some_and(|said| said != by_order),")],
        [*RECONCILE, "differences"],
    ),
    (
        "SP-11: a payment of no invoice and no order floats free",
        [(DOCUMENTS,
          "unlinked(receipt, settings).filter(|_| !is_named)",
          "unlinked(receipt, settings).filter(|_| is_named)")],
        [*RECONCILE, "differences"],
    ),
    (
        "SP-13: a holiday is closed like any other weekday",
        [(CALENDAR,
          "!is_weekend && !self.close.holidays.contains(&day)",
          "!is_weekend")],
        [*RECONCILE, "closes"],
    ),
    (
        "SP-14: an invoice reconciles in spite of what does not agree about it",
        [("shared/payments/src/close/result.rs",
          "    if is_wrong {\n        status = CloseStatus::NotReconciled;",
          "    if false {\n        status = CloseStatus::NotReconciled;")],
        [*RECONCILE, "shop"],
    ),
    (
        "SP-15: a transfer that never comes is waited for for ever",
        [(JUDGING_A_DAY,
          "        if self.day >= expected {\n            return JudgedPayment::wrong(amount, CloseCause::OtherMethod);",
          "        if self.day > self.calendar.next(expected) {\n            return JudgedPayment::wrong(amount, CloseCause::OtherMethod);")],
        [*RECONCILE, "closes"],
    ),
    (
        "SP-20: nothing sees that the schedule of closes does not come",
        [("functions/sweep/src/closes.rs",
          "due.filter(|(_, ended)| now.duration_since(*ended) > OVERDUE_AFTER)",
          "due.filter(|(_, ended)| now.duration_since(*ended) > OVERDUE_AFTER * 99)")],
        [*SWEEP, "closes"],
    ),
    (
        "SP-21: totals of orders and invoices are not compared",
        [(DOCUMENTS,
          ".filter(|values| values.differs) {\n        let key",
          ".filter(|values| values.differs && values.component != Component::Total) {\n        let key")],
        [*RECONCILE, "differences"],
    ),
    (
        "SP-37: whose invoice a payment is on is not asked",
        [(DOCUMENTS,
          ".filter(|(_, whose)| *whose != payer)",
          ".filter(|(_, whose)| *whose != payer && whose.as_str().is_empty())")],
        [*RECONCILE, "differences"],
    ),
    (
        "ST-05: what was paid too much is no balance",
        [(BALANCE,
          ".filter(|left| left.is_negative())",
          ".filter(|left| left.is_positive())")],
        [*CONSOLE, "balances"],
    ),
    (
        "ST-11: more than the amount of the invoice is not flagged",
        [(AGREEMENT,
          "    excess\n        .is_positive()",
          "    excess\n        .is_negative()")],
        [*RECONCILE, "shop"],
    ),
    (
        "ST-12: what is due later is called overdue",
        [(BALANCE,
          "!matches!(self, Self::NotDue | Self::Overpaid)",
          "!matches!(self, Self::Overpaid)")],
        [*CONSOLE, "balances"],
    ),
    (
        "ST-15: discrepancies have three days",
        [(DISCREPANCY,
          "self.since().saturating_add(RESOLVE_WITHIN).unwrap_or(self.since())",
          "self.since().saturating_add(RESOLVE_WITHIN * 2).unwrap_or(self.since())")],
        [*RECONCILE, "closes"],
    ),
    (
        "ST-24: the thirty-first day is one of the first thirty",
        [(BALANCE,
          "Some(1..=30)",
          "Some(1..=31)")],
        [*CONSOLE, "balances"],
    ),
    (
        "CM-18: totals of Xero and of the business are not compared",
        [(AGREEMENT,
          "        if xero.figures.total != local.total {\n            let why =\n                format!(\"Xero says",
          "        if xero.figures.total != xero.figures.total {\n            let why =\n                format!(\"Xero says")],
        [*RECONCILE, "shop"],
    ),
    (
        "AMB-18: money that was given back disagrees with its invoice",
        [(DOCUMENTS,
          "    if !receipt.status.counts() {\n        return found;\n    }\n    let is_named",
          "    if receipt.amount.is_negative() {\n        return found;\n    }\n    let is_named")],
        [*RECONCILE, "differences"],
    ),
    (
        "AMB-19: credit from Xero does not lower what is asked",
        [("shared/payments/src/invoice_amounts.rs",
          "map_or(zero, |xero| xero.figures.credited)",
          "map_or(zero, |xero| zero)")],
        [*CONSOLE, "balances"],
    ),
    (
        "AMB-23: the clock of a discrepancy begins a day late",
        [(DISCREPANCY,
          "self.reopened.map_or(self.detected_at, |reopened| reopened.at)",
          "self.reopened.map_or(self.detected_at + RESOLVE_WITHIN, |reopened| reopened.at)")],
        [*RECONCILE, "differences"],
    ),
    (
        "AMB-24: what waits for its night is late at the close before it",
        [(JUDGING_A_DAY,
          "        if Night::of(self.closes_at, &self.settings.zone) > expected {",
          "        if Night::of(self.closes_at, &self.settings.zone) >= expected {")],
        [*RECONCILE, "shop"],
    ),
    (
        "AMB-31: a failed payment stays one after another has taken its place",
        [(JUDGING_A_DAY,
          "(Some(position), _) => position.value.open.contains(&DiscrepancyKind::FailedPayment),",
          "(Some(position), _) => true,")],
        [*RECONCILE, "shop"],
    ),
    (
        "XC-01: a link works for ever",
        [("functions/connect/src/launch.rs", "invitation.until <= self.clock.now()", "invitation.used")],
        [*CONNECT, "walks"],
    ),
    (
        "XC-02: a way back works in every browser",
        [("shared/access/src/authorisation.rs", "visit.browser == browser.map(visit_key)",
          "visit.browser == browser.map(visit_key) || browser.is_some()")],
        [*CONNECT, "walks"],
    ),
    (
        "XC-03: what is in use is ended as if it were not used",
        [("functions/connect/src/choice.rs", "if self.standing(organisation).await? == Standing::SignedUp {",
          "if self.standing(organisation).await? == Standing::Disconnected {")],
        [*CONNECT, "choice"],
    ),
    (
        "XC-04: a name in Xero is kept as it was first",
        [("functions/sweep/src/health.rs", "if before.as_deref() == Some(name) {", "if before.is_some() {")],
        HOURLY,
    ),
    (
        "XC-05: with one connection all of the user's end",
        [(DISCONNECTION, "partition(|known| known.organisation == organisation)", "partition(|_| true)")],
        [*CONNECT, "choice"],
    ),
    (
        "XC-06: what is disconnected is mirrored",
        [("shared/payments/src/settings.rs", "Some(_) => Some(Ignored::Disconnected),", "Some(_) => None,")],
        HOURLY,
    ),
    (
        "XC-07: another organisation than that of the link goes unnoticed",
        [("functions/connect/src/choice.rs", "choice.organisation.filter(|wanted| !is_offered(&choice, *wanted))",
          "choice.organisation.filter(|wanted| is_offered(&choice, *wanted))")],
        [*CONNECT, "choice"],
    ),
    (
        "XC-08: users are sent to a secret",
        [("shared/payments/src/health_issue.rs", "(Self::Refused, AccessMode::Grants) => {",
          "(Self::Parked, AccessMode::Grants) => {")],
        HOURLY,
    ),
    (
        "XC-10: bills are asked for by those who make none",
        [("shared/payments/src/permission.rs",
          "PERMISSIONS.iter().filter(|permission| features.contains(&permission.feature));\n    let writes",
          "PERMISSIONS.iter().filter(|permission| features.contains(&permission.feature) || permission.feature == "
          "Feature::Bills);\n    let writes")],
        ["-p", "payments", "permission"],
    ),
    (
        "XC-11: a permission that is lacking is noticed only where none was granted",
        [("shared/payments/src/permission.rs", "needed.filter(|permission| !is_granted(permission.scope, granted))",
          "needed.filter(|permission| granted.is_empty() && !is_granted(permission.scope, granted))")],
        HOURLY,
    ),
    (
        "XC-12: a token is renewed for a permission that is missing",
        [("shared/xero/src/failed_answer.rs", "answer.status == 401 && !scope_is_missing(answer)",
          "answer.status == 401")],
        HOURLY,
    ),
    (
        "XC-13: an account that takes no payments is paid",
        [(CHART, "if !account.takes_payments {", "if !account.takes_payments && !account.is_active {")],
        [*UPLOAD, "chart"],
    ),
    (
        "XC-15: an archived account is booked on",
        [(CHART, "Some(account) if !account.is_active => {", "Some(account) if account.name.is_empty() => {")],
        [*UPLOAD, "chart"],
    ),
    (
        "XC-18: the account of a currency is not asked for",
        [("shared/payments/src/upload/settings.rs", "self.currency_accounts.get(&currency).copied().unwrap_or(self.account)",
          "self.currency_accounts.get(&currency).map_or(self.account, |_| self.account)")],
        [*UPLOAD, "chart"],
    ),
    (
        "XC-28: tokens are revoked although their user has another connection",
        [(DISCONNECTION, "pair.filter(|_| left.is_empty())", "pair.filter(|_| left.len() < 99)")],
        [*CONNECT, "choice"],
    ),
    (
        "XC-14: a code that was changed in Xero is not followed",
        [(CHART, "            if let Some(code) = account.id.and_then(code) {", "            if let Some(code) = account.id.and_then(code).filter(|_| false) {")],
        [*UPLOAD, "chart"],
    ),
    (
        "XC-17: an archived tax rate is sent",
        [(CHART, "Some(rate) if !rate.is_active => {", "Some(rate) if rate.name.is_empty() => {")],
        [*UPLOAD, "chart"],
    ),
    (
        "XC-17: a bill with another total is a proof",
        [("functions/upload/src/unknown_outcomes.rs", "if let Some(other) = other.filter(|_| !shown.deleted) {",
          "if let Some(other) = other.filter(|_| shown.deleted) {")],
        [*UPLOAD, "chart"],
    ),
    (
        "XC-27: a second order of one moment takes the place of the first",
        [("shared/table/src/tables.rs", '.condition_expression("attribute_not_exists(#day)")',
          '.condition_expression("attribute_not_exists(#day) OR attribute_exists(#day)")')],
        ["-p", "table", "--test", "it", "log"],
    ),
    (
        "XC-30: tokens are deleted here and not revoked",
        [("shared/access/src/containment.rs",
          "        self.revoke(&pair.refresh_token).await.map_err(|error| telemetry::chain(&error))?;\n", "")],
        ["-p", "operations", "--test", "it", "leaks"],
    ),
    (
        "XC-13: an account that does not fit its use is set",
        [("functions/operations/src/accounts.rs",
          "of.fits(account, shown.base).map_err(|why| wrong(format!(\"`account`: {why}\")))?;",
          "drop(of.fits(account, shown.base));")],
        ["-p", "operations", "--test", "it", "accounts"],
    ),
]


def plant(changes):
    """Changes the files; gives what they were."""
    before = {}
    for name, old, new in changes:
        path = ROOT / name
        text = path.read_text()
        before.setdefault(path, text)
        if text.count(old) != 1:
            raise SystemExit(f"{name} does not contain this once any more: {old!r}")
        path.write_text(text.replace(old, new))
    return before


def caught(changes, tests):
    """Whether the tests fail with these changes. Code that does not compile proves nothing."""
    before = plant(changes)
    try:
        subprocess.run(["cargo", "test", "--quiet", "--no-run", *tests[:2]], cwd=ROOT, check=True)
        ran = subprocess.run(["cargo", "test", "--quiet", *tests], cwd=ROOT, check=False, env=ENVIRONMENT,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    finally:
        for path, text in before.items():
            path.write_text(text)
    return ran.returncode != 0


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    missed = 0
    for name, changes, tests in BUGS:
        if word in name:
            found = caught(changes, tests)
            missed += not found
            print(f"{'caught' if found else 'MISSED'}: {name} (cargo test {' '.join(tests)})", flush=True)
    raise SystemExit(f"{missed} planted bugs were not found" if missed else 0)


if __name__ == "__main__":
    main()
