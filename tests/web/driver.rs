//! A browser, driven by chromedriver over its HTTP interface (that of the W3C).

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a command may take: shaders compile slowly on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

type Result<T, E = String> = std::result::Result<T, E>;

/// Whether there are a browser and its driver.
pub fn available() -> Result<()> {
    let starts = |program: &&str| {
        let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    if !starts(&"chromedriver") {
        return Err("chromedriver was not found: install chromium-driver (Debian)".into());
    }
    match ["chromium", "google-chrome"].iter().find(|program| starts(program)) {
        Some(_) => Ok(()),
        None => Err("no Chromium was found: install chromium (Debian)".into()),
    }
}

/// A driver that ends with the value.
struct Driver {
    process: Child,
    port: u16,
}

/// A browser with one page, a driver and a profile of its own. It ends with the value.
pub struct Browser {
    driver: Driver,
    session: String,
    _profile: tempfile::TempDir,
}

impl Driver {
    fn start() -> Result<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver: {error}"))?;
        // "ChromeDriver was started successfully on port 35811."
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let port = lines
            .map_while(std::result::Result::ok)
            .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
        match port {
            Some(port) => Ok(Self { process, port }),
            None => Err("chromedriver did not start".into()),
        }
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let exchange = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(PATIENCE + PATIENCE))?;
            let body = if method == "POST" { body.to_string() } else { String::new() };
            let (length, port) = (body.len(), self.port);
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )?;
            answer(stream)
        };
        let body = exchange().map_err(|error| format!("{method} {path}: {error}"))?;
        let mut answer: Value = serde_json::from_slice(&body).map_err(|error| format!("{method} {path}: {error}"))?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{path}: {error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }
}

/// The body of an HTTP answer, whose length is given: the driver keeps connections open.
fn answer(stream: TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Nothing is left to tell if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.request("DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}

impl Browser {
    /// Starts a browser with further arguments.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let driver = Driver::start()?;
        let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut all = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": all },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let answer = driver.request("POST", "/session", &capabilities)?;
        let session = answer["sessionId"].as_str().ok_or("no session")?.to_owned();
        let browser = Self { driver, session, _profile: profile };
        let timeouts = json!({ "script": PATIENCE.as_millis(), "pageLoad": PATIENCE.as_millis() });
        browser.post("/timeouts", &timeouts)?;
        Ok(browser)
    }

    fn post(&self, command: &str, body: &Value) -> Result<Value> {
        self.driver.request("POST", &format!("/session/{}{command}", self.session), body)
    }

    /// Sends a command of the `DevTools` protocol.
    fn devtools(&self, command: &str, parameters: &Value) -> Result<()> {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).map(drop)
    }

    /// Gives the page a size. A window is never narrower than 500 pixels; a page may be.
    pub fn resize(&self, [width, height]: [u32; 2]) -> Result<()> {
        let page = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &page)
    }

    /// Lets downloads go to a folder.
    pub fn download_to(&self, folder: &Path) -> Result<()> {
        self.devtools("Browser.setDownloadBehavior", &json!({ "behavior": "allow", "downloadPath": folder }))
    }

    pub fn goto(&self, url: &str) -> Result<()> {
        self.post("/url", &json!({ "url": url })).map(drop)
    }

    /// Runs a script before those of each page to come.
    pub fn run_before_pages(&self, script: &str) -> Result<()> {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }))
    }

    /// The value of an asynchronous function's body.
    pub fn run(&self, body: &str, arguments: &[Value]) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1]; const args = [...arguments].slice(0, -1);\n\
             (async (...args) => {{ {body} }})(...args).then((value) => done({{ value }}), (error) => done({{ error: String(error.stack ?? error) }}));"
        );
        let mut outcome = self.post("/execute/async", &json!({ "script": script, "args": arguments }))?;
        match outcome["error"].as_str() {
            Some(error) => Err(error.into()),
            None => Ok(outcome["value"].take()),
        }
    }

    /// Waits until an expression holds.
    pub fn wait(&self, expression: &str) -> Result<()> {
        let began = Instant::now();
        while !self.run(&format!("return Boolean({expression});"), &[])?.as_bool().unwrap_or(false) {
            if began.elapsed() > PATIENCE {
                let problem = self.text("#problem").unwrap_or_default();
                return Err(format!("{expression} does not come true. The page says: {problem:?}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// The text of an element.
    pub fn text(&self, selector: &str) -> Result<String> {
        let value = self.run("return document.querySelector(args[0]).textContent;", &[json!(selector)])?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Clicks an element as a person does: it must be there to be seen.
    pub fn click(&self, selector: &str) -> Result<()> {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }))?;
        let id = found.as_object().and_then(|map| map.values().next()).and_then(Value::as_str).ok_or("no element")?;
        self.post(&format!("/element/{id}/click"), &json!({})).map(drop)
    }

    /// Drags a pointer (mouse, pen or touch) through points of an element, as shares of its sides.
    pub fn drag(&self, pointer: &str, selector: &str, points: &[[f64; 2]]) -> Result<()> {
        let body = "const element = document.querySelector(args[0]); element.scrollIntoView({ block: 'center' });
            const { left, top, width, height } = element.getBoundingClientRect();
            return args[1].map(([x, y]) => [Math.round(left + x * width), Math.round(top + y * height)]);";
        let places = self.run(body, &[json!(selector), json!(points)])?;
        let mut actions = Vec::new();
        for place in places.as_array().into_iter().flatten() {
            actions.push(json!({ "type": "pointerMove", "duration": 20, "x": place[0], "y": place[1] }));
            if actions.len() == 1 {
                actions.push(json!({ "type": "pointerDown", "button": 0 }));
            }
        }
        actions.push(json!({ "type": "pointerUp", "button": 0 }));
        let source =
            json!({ "type": "pointer", "id": pointer, "parameters": { "pointerType": pointer }, "actions": actions });
        self.post("/actions", &json!({ "actions": [source] }))?;
        Ok(())
    }

    /// Presses keys one after another on what has the focus.
    pub fn keys(&self, keys: &[char]) -> Result<()> {
        let presses =
            keys.iter().flat_map(|key| ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key })));
        let source = json!({ "type": "key", "id": "keyboard", "actions": presses.collect::<Vec<_>>() });
        self.post("/actions", &json!({ "actions": [source] })).map(drop)
    }

    /// What the page and the browser wrote to the console since the last time: warnings and errors.
    pub fn complaints(&self) -> Result<Vec<String>> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }))?;
        let entries = entries.as_array().cloned().unwrap_or_default();
        let loud =
            entries.into_iter().filter(|entry| ["WARNING", "SEVERE"].contains(&entry["level"].as_str().unwrap_or("")));
        Ok(loud.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect())
    }
}
