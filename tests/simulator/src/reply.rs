//! An answer before it becomes HTTP.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde::Serialize;

use crate::{
    gzip,
    query::QueryError,
    wire::{Envelope, Exception},
};

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const XML: &str = "text/xml; charset=utf-8";

/// `ErrorNumber` and `Type` of the 400s (facts.md 4.9).
const VALIDATION: (u32, &str) = (10, "ValidationException");
const POST_DATA: (u32, &str) = (14, "PostDataInvalidException");
const QUERY_PARSE: (u32, &str) = (16, "QueryParseException");

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether it is sent as gzip.
    pub(crate) packed: bool,
}

impl Reply {
    fn new(status: u16, content_type: &'static str, body: String) -> Self {
        Self { status, content_type, headers: Vec::new(), body, packed: false }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(body) => Self::raw_json(status, body),
            // Nothing of ours fails to serialise; if it did, this is what Xero would look like.
            Err(error) => Self::text(500, &error.to_string()),
        }
    }

    pub(crate) fn raw_json(status: u16, body: String) -> Self {
        Self::new(status, JSON, body)
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::new(status, TEXT, body.to_owned())
    }

    pub(crate) fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html>\r\n<html><head><title>Xero | Unavailable</title></head>\
                    <body><h1>Xero is currently unavailable</h1></body></html>\r\n";
        Self::new(status, HTML, page.to_owned())
    }

    pub(crate) fn envelope<T: Serialize>(envelope: &Envelope<T>) -> Self {
        Self::json(200, envelope)
    }

    /// A 404 as plain text, which is how Xero answers for an unknown id (facts.md 4.9).
    pub(crate) fn not_found() -> Self {
        Self::text(404, "The resource you're looking for cannot be found")
    }

    /// A 400 that lists what is wrong with each element.
    pub(crate) fn invalid<T: Serialize>(elements: Vec<T>) -> Self {
        exception(VALIDATION, "A validation exception occurred", elements)
    }

    /// A 400 for a body that is no JSON.
    pub(crate) fn unreadable(message: &str) -> Self {
        exception::<()>(POST_DATA, message, Vec::new())
    }

    /// The same answer for a caller who did not ask for JSON.
    pub(crate) fn into_xml(self) -> Self {
        if self.content_type != JSON {
            return self;
        }
        let body = if self.status < 400 {
            r#"<Response xmlns:xsd="http://www.w3.org/2001/XMLSchema"><Status>OK</Status><ProviderName>Xero simulator</ProviderName></Response>"#
        } else {
            r#"<ApiException xmlns:xsd="http://www.w3.org/2001/XMLSchema"><ErrorNumber>10</ErrorNumber><Type>ValidationException</Type></ApiException>"#
        };
        Self { content_type: XML, body: body.to_owned(), ..self }
    }

    /// The same JSON with every slash escaped, which means the same.
    pub(crate) fn with_escaped_slashes(self) -> Self {
        let body =
            if self.content_type == JSON { self.body.replace('/', "\\/") } else { self.body };
        Self { body, ..self }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let body = match self.packed {
            true => Body::from(gzip::packed(self.body.as_bytes())),
            false => Body::from(self.body),
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if self.packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name);
            let value = HeaderValue::try_from(value);
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

impl From<QueryError> for Reply {
    fn from(error: QueryError) -> Self {
        exception::<()>(QUERY_PARSE, &error.0, Vec::new())
    }
}

fn exception<T: Serialize>(
    (error_number, kind): (u32, &'static str),
    message: &str,
    elements: Vec<T>,
) -> Reply {
    let exception = Exception { error_number, kind, message: message.to_owned(), elements };
    Reply::json(400, &exception)
}
