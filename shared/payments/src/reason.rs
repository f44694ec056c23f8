//! Why something was not done. Every payment that is not simply there has one of these.

/// Enums from one declaration: each member with the code that stands for it in tables, messages, logs and JSON.
#[macro_export]
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code that stands in tables, messages and logs.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The member with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.code() == code)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    )*};
}
pub(crate) use crate::codes;

codes! {
    /// Why a Xero invoice is left alone altogether.
    Ignored {
        /// The organisation has switched the mirror off (CM-01).
        Disabled = "disabled",
        /// A person has disconnected the organisation from Xero (XC-06).
        Disconnected = "disconnected",
        /// The number is the prefix and nothing else (V14).
        EmptyNumber = "empty_number",
        /// The number does not begin with the prefix (CM-05).
        NotCmPrefix = "not_cm_prefix",
        /// A bill, or some other document that is not a sales invoice (AMB-25).
        NotSalesInvoice = "not_sales_invoice",
        /// The rest of the number cannot be a local number: too long, or control characters.
        NumberUnusable = "number_unusable",
        /// The organisation is not set up here (CM-47).
        OtherTenant = "other_tenant",
        /// The organisation is in shadow: everything is decided, and nothing is done (CM-30).
        Shadow = "shadow",
        /// A voided or deleted invoice whose number another invoice has since taken.
        Superseded = "superseded",
    }
    /// Why a Xero payment is known but has no local copy.
    Held {
        /// Dated more days ahead than the organisation accepts (CM-40).
        FutureDated = "FUTURE_DATED",
        /// It is part of a local payment over several invoices, which we never touch (CM-28).
        MultiInvoice = "MULTI_INVOICE",
        /// An action about the customer is open: everything about it waits (EX-28, AMB-15).
        BlockedByAction = "BLOCKED_BY_ACTION",
        /// Our own upload, seen in Xero before the upload itself has taken note of it (V20).
        UploadUnderWay = "UPLOAD_UNDER_WAY",
    }
}
