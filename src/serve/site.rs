//! The page's files, served from memory: a path is a key, so none leads anywhere else.

use super::answer::Answer;
use crate::export::web::File;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use hyper::{Response, StatusCode};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::HashMap;

/// What a browser gets when it names no file.
const INDEX: &str = "/index.html";

/// Files by their paths, which begin with a slash.
pub struct Site(HashMap<String, Asset>);

/// A file, and what a browser is told of it.
pub struct Asset {
    bytes: Bytes,
    content_type: HeaderValue,
    /// A fingerprint of the bytes, in quotes.
    tag: HeaderValue,
}

impl Site {
    /// Of the files of an exported site.
    pub fn new(files: Vec<File>) -> Self {
        Self(files.into_iter().map(|file| (format!("/{}", file.path), Asset::new(file))).collect())
    }

    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<&Asset> {
        self.0.get(if path == "/" { INDEX } else { path })
    }
}

impl Asset {
    fn new(file: File) -> Self {
        let digest = Sha256::digest(&file.bytes);
        let tag = digest[..16].iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        Self {
            content_type: HeaderValue::from_static(file.content_type),
            tag: HeaderValue::try_from(format!("\"{tag}\"")).expect("digits in quotes"),
            bytes: match file.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            },
        }
    }

    /// The file, or that the client's copy is still right.
    ///
    /// A browser may keep a copy but asks each time, since another model may be served on the same address.
    pub fn answer(&self, asked: &HeaderMap) -> Answer {
        let mut answer = Response::new(Full::default());
        if self.is_kept(asked) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *answer.body_mut() = Full::new(self.bytes.clone());
            answer.headers_mut().insert(CONTENT_TYPE, self.content_type.clone());
        }
        answer.headers_mut().insert(ETAG, self.tag.clone());
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    /// Whether the client names the file's tag, or any.
    fn is_kept(&self, asked: &HeaderMap) -> bool {
        let named = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = named.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == "*" || tag.as_bytes() == self.tag.as_bytes())
    }
}
