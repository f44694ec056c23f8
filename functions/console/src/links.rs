//! Links into Xero. They need a Xero login (EX-26), and lead into the right organisation only by its short
//! code, which the hourly check of the connection finds out (X-15, EX-25).
//!
//! Their form is Xero's own: `src/consts/deeplinks.ts` of <https://github.com/XeroAPI/xero-mcp-server>.

use payments::XeroInvoiceId;

const XERO: &str = "https://go.xero.com";

/// An invoice in Xero.
pub fn invoice(short_code: Option<&str>, invoice: XeroInvoiceId) -> Option<String> {
    Some(format!("{XERO}/app/{}/invoicing/view/{invoice}", safe(short_code?)?))
}

/// A payment in Xero, by its id as the log has it.
pub fn payment(short_code: Option<&str>, payment: &str) -> Option<String> {
    let payment: payments::XeroPaymentId = payment.parse().ok()?;
    Some(format!(
        "{XERO}/organisationlogin/default.aspx?shortcode={}&redirecturl=\
         /Bank/ViewTransaction.aspx?bankTransactionID={payment}",
        safe(short_code?)?
    ))
}

/// A short code such as `!mBdtL`: any other text that Xero may send one day must not become part of an address.
fn safe(short_code: &str) -> Option<&str> {
    let rest = short_code.strip_prefix('!').unwrap_or(short_code);
    let fits = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then_some(short_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    #[test]
    fn links_lead_into_the_organisation_or_are_left_out() {
        // EX-25, X-15
        let link = invoice(Some("!mBdtL"), ID.parse().unwrap()).unwrap();
        assert_eq!(link, format!("https://go.xero.com/app/!mBdtL/invoicing/view/{ID}"));
        assert!(payment(Some("!mBdtL"), ID).unwrap().ends_with(&format!("bankTransactionID={ID}")));
        for code in [None, Some(""), Some("!"), Some("a/../b"), Some("\"onclick=")] {
            assert_eq!(payment(code, ID), None, "{code:?}");
        }
        assert_eq!(payment(Some("!mBdtL"), "javascript:alert(1)"), None);
    }
}
