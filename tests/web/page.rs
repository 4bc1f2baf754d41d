//! The page as a person uses it.

use crate::driver::Browser;
use crate::server::Server;
use crate::visit::{DESKTOP, Fixture, WEBGPU, files, fixture, visit};
use crate::{InBrowser, expect};
use mnist_gpu::checkpoint::Checkpoint;
use mnist_gpu::cpu::Cpu;
use mnist_gpu::inference::Classifier;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

pub const TRIALS: &[InBrowser] = &[
    ("page::images_on_the_pad_are_recognised", images),
    ("page::drawing_undoing_and_clearing", drawing),
    ("page::training_pausing_and_downloading", training),
    ("page::weights_are_loaded_and_evaluated", loading),
    ("page::without_webgpu_it_explains", without_webgpu),
    ("page::it_fits_a_phone_and_names_its_controls", layout),
];

/// Accuracy and loss of weights on the fixture's test images, natively.
fn natively(checkpoint: &Checkpoint) -> mnist_gpu::Result<(f64, f64)> {
    let score = Classifier::new(&Cpu::new(None)?, checkpoint)?.evaluate(&fixture().data.test)?;
    Ok((score.accuracy, score.loss))
}

/// What the page writes below its figures of a set.
fn shown((accuracy, loss): (f64, f64)) -> String {
    format!("{:.2} % of 200 test images, loss {loss:.4}", 100.0 * accuracy)
}

/// Pastes an image as what a person might have scanned: larger, smooth, dark on light.
pub const PASTE: &str = "
    const small = new ImageData(28, 28);
    args[0].forEach((ink, i) => small.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * i));
    const canvas = new OffscreenCanvas(360, 360);
    const context = canvas.getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, 360, 360);
    context.drawImage(await createImageBitmap(small), 40, 40, 280, 280);
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([await canvas.convertToBlob()], 'digit.png', { type: 'image/png' }));
    document.querySelector('#answer').replaceChildren();
    dispatchEvent(new ClipboardEvent('paste', { clipboardData }));";

/// Test images that are pasted as pictures get the label that the network gives them natively.
fn images() -> Result<(), String> {
    let Fixture { data, .. } = fixture();
    visit(files(false), DESKTOP, |browser, _| {
        let mut right = 0;
        for (image, label) in data.test.images.chunks(784).zip(&data.test.labels).take(20) {
            browser.run(PASTE, &[json!(image)])?;
            browser.wait("document.querySelector('#answer strong')")?;
            right += usize::from(browser.text("#answer strong")? == label.to_string());
        }
        // The network itself, trained on so few images, knows some nine in ten.
        if right < 16 { Err(format!("{right} of 20 images were recognised")) } else { Ok(()) }
    })
}

/// The digit one, with mouse, finger, pen and keys; what is taken back is gone.
fn drawing() -> Result<(), String> {
    let answer = "document.querySelector('#answer strong')";
    let seen = "
        const context = new OffscreenCanvas(28, 28).getContext('2d', { willReadFrequently: true });
        context.drawImage(document.querySelector('#seen'), 0, 0);
        return [...context.getImageData(0, 0, 28, 28).data].filter((value, i) => i % 4 === 0 && value > 128).length;";
    visit(files(false), DESKTOP, |browser, _| {
        for pointer in ["mouse", "touch", "pen"] {
            browser.drag(pointer, "#pad", &[[0.52, 0.2], [0.5, 0.5], [0.48, 0.8]])?;
            browser.wait(answer)?;
            expect(pointer, &browser.text("#answer strong")?, &"1".into())?;
            let ink = browser.run(seen, &[])?;
            expect("ink is seen", &(ink.as_u64() > Some(20)), &true)?;
            browser.click("#clear")?;
            expect("after clearing", &browser.run(seen, &[])?, &json!(0))?;
        }
        browser.drag("mouse", "#pad", &[[0.5, 0.2], [0.5, 0.8]])?;
        browser.wait(answer)?;
        let one = browser.run(seen, &[])?;
        browser.drag("mouse", "#pad", &[[0.1, 0.5], [0.9, 0.5]])?;
        expect("a cross has other ink", &(browser.run(seen, &[])? == one), &false)?;
        browser.click("#undo")?;
        expect("after undoing", &browser.run(seen, &[])?, &one)?;
        browser.click("#undo")?;
        expect(
            "after undoing all",
            &browser.run("return document.querySelector('#undo').disabled;", &[])?,
            &json!(true),
        )?;

        // Down with the pen, twelve times ArrowDown.
        browser.run("document.querySelector('#pad').focus();", &[])?;
        browser.keys(&[&['\u{e015}', ' '][..], &['\u{e015}'; 14]].concat())?;
        browser.wait(answer)?;
        expect("keys", &browser.text("#answer strong")?, &"1".into())
    })
}

/// Sets the settings of a run and starts it.
pub fn start(browser: &Browser, settings: &Value) -> Result<(), String> {
    let fill = "for (const [id, value] of Object.entries(args[0])) document.getElementById(id).value = value;";
    browser.run(fill, std::slice::from_ref(settings))?;
    browser.click("#start")
}

/// Clicks on the download and waits for the file.
fn download(browser: &Browser, folder: &Path) -> Result<Vec<u8>, String> {
    browser.click("#download")?;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?.flatten();
        let file = entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "safetensors"));
        if let Some(path) = file {
            let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
            std::fs::remove_file(&path).map_err(|error| error.to_string())?;
            return Ok(bytes);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("nothing was downloaded".into())
}

/// Lets the page itself do something once the run that is started next has done a step: however fast it is, it goes on then.
fn after_a_step(browser: &Browser, act: &str) -> Result<(), String> {
    let watch = "
        const step = document.getElementById('at-step');
        const begun = new MutationObserver(() => {
            if (!(Number(step.textContent) > 0)) return;
            begun.disconnect();
            const [pause, stop, start] = ['pause', 'stop', 'start'].map((id) => document.getElementById(id));
            ACT
        });
        begun.observe(step, { childList: true, characterData: true, subtree: true });";
    browser.run(&watch.replace("ACT", act), &[]).map(drop)
}

/// A run that is paused and resumed leaves the bytes of one that is not; they evaluate natively to what the page shows.
fn training() -> Result<(), String> {
    let settings = json!({ "seed": 5, "epochs": 3, "rate": 0.004 });
    let ended = "document.querySelector('#status').textContent.startsWith('Done')";
    visit(files(true), DESKTOP, |browser, downloads| {
        start(browser, &settings)?;
        browser.wait(ended)?;
        let whole = download(browser, downloads)?;

        after_a_step(browser, "pause.click();")?;
        start(browser, &settings)?;
        browser.wait("document.querySelector('#pause').textContent === 'Resume'")?;
        let paused = "return document.querySelector('#at-step').textContent;";
        std::thread::sleep(Duration::from_millis(500));
        let step = browser.run(paused, &[])?;
        browser.click("#use")?;
        browser.wait("document.querySelector('#weights').selectedOptions[0].text.includes('trained here')")?;
        expect("a step while paused", &browser.run(paused, &[])?, &step)?;
        browser.click("#pause")?;
        browser.wait(ended)?;
        let interrupted = download(browser, downloads)?;
        expect("the bytes of both runs are the same", &(whole == interrupted), &true)?;

        // Neither impatient clicks nor a model that is chosen meanwhile change what is trained.
        let clicks = "for (let i = 0; i < 3; i++) { pause.click(); pause.click(); }";
        for act in [clicks.to_owned(), format!("{clicks} stop.click(); start.click();")] {
            after_a_step(browser, &act)?;
            start(browser, &settings)?;
            browser.wait(ended)?;
        }
        let choose = "
            const model = document.querySelector('#model');
            model.value = 'linear';
            model.dispatchEvent(new Event('change'));";
        browser.run(choose, &[])?;
        let impatiently = download(browser, downloads)?;
        expect("the bytes of the impatient run are the same", &(whole == impatiently), &true)?;
        let problem = browser.run("return document.querySelector('#problem').hidden;", &[])?;
        expect("no problem", &problem, &json!(true))?;
        browser.run(&choose.replace("linear", "mlp"), &[])?;

        let checkpoint = Checkpoint::parse(&whole, Path::new("download")).map_err(|error| error.to_string())?;
        let config = &checkpoint.metadata.training;
        expect("settings", &(config.seed, config.epochs, config.learning_rate), &(5, 3, 0.004))?;
        let native = natively(&checkpoint).map_err(|error| error.to_string())?;
        expect("score", &browser.text("#score")?, &shown(native))?;

        after_a_step(browser, "stop.click();")?;
        start(browser, &settings)?;
        browser.wait("document.querySelector('#status').textContent.startsWith('Stopped')")?;
        browser.wait("!document.querySelector('#start').disabled")
    })
}

/// A file of weights is taken and evaluated; one that is none is refused with a reason.
fn loading() -> Result<(), String> {
    let Fixture { trained, .. } = fixture();
    let open = "
        const bytes = args[1] ? await (await fetch('model.safetensors')).arrayBuffer() : 'nonsense';
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], args[0]));
        dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));";
    visit(files(false), DESKTOP, |browser, _| {
        browser.run(open, &[json!("good.safetensors"), json!(true)])?;
        browser.wait("document.querySelector('#weights').selectedOptions[0].text === 'mlp, from good.safetensors'")?;
        browser.click("#evaluate")?;
        browser.wait("document.querySelector('#score').textContent.includes('loss')")?;
        let native = natively(&trained.checkpoint).map_err(|error| error.to_string())?;
        expect("score", &browser.text("#score")?, &shown(native))?;
        // Stopped at once, it shows nothing; begun anew, the same.
        let both = "for (const id of ['evaluate', 'stop']) document.getElementById(id).click();";
        browser.run(both, &[])?;
        let hidden = "return document.querySelector('#evaluation').hidden;";
        expect("no evaluation", &browser.run(hidden, &[])?, &json!(true))?;
        browser.click("#evaluate")?;
        browser.wait("document.querySelector('#score').textContent.includes('loss')")?;
        expect("score", &browser.text("#score")?, &shown(native))?;
        expect("cannot train", &browser.run("return document.querySelector('#start').disabled;", &[])?, &json!(true))?;
        expect("says how", &browser.run("return document.querySelector('#no-images').hidden;", &[])?, &json!(false))?;
        for name in ["bad.safetensors", "bad.png"] {
            browser.run(open, &[json!(name), json!(false)])?;
            browser.wait("!document.querySelector('#problem').hidden")?;
            browser.run("document.querySelector('#problem').hidden = true;", &[])?;
        }
        Ok(())
    })
}

/// A page that browsers do not trust, a browser without WebGPU, one without an adapter.
fn without_webgpu() -> Result<(), String> {
    let untrusted = "--host-resolver-rules=MAP untrusted.test 127.0.0.1";
    let keep = "";
    let hide = "Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });";
    let cases: [(&[&str], &str, &str, &str); 3] = [
        (&[WEBGPU, untrusted], keep, "untrusted.test", "only on https"),
        (&[], hide, "localhost", "has no WebGPU"),
        (&[], keep, "localhost", "found no GPU"),
    ];
    for (arguments, before, host, word) in cases {
        let server = Server::start(files(true)).map_err(|error| error.to_string())?;
        let browser = Browser::start(arguments)?;
        browser.run_before_pages(before)?;
        browser.goto(&format!("http://{host}:{}/", server.port))?;
        browser.wait("document.body.dataset.ready === 'false'")?;
        expect(
            "explained",
            &browser.run("return document.querySelector('#unavailable').hidden;", &[])?,
            &json!(false),
        )?;
        let reason = browser.text("#reason")?;
        expect(&format!("{word:?} in {reason:?}"), &reason.contains(word), &true)?;
        let models = browser.run("return document.querySelector('#model').options.length;", &[])?;
        expect("the page is there all the same", &(models.as_u64() > Some(3)), &true)?;
    }
    Ok(())
}

/// Nothing is wider than a phone, and everything that can be operated has a name.
fn layout() -> Result<(), String> {
    let wide = "return [document.documentElement.scrollWidth > innerWidth,
        ...[...document.querySelectorAll('body *')].filter((e) => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1)
            .map((e) => e.outerHTML.slice(0, 80))];";
    let nameless = "return [...document.querySelectorAll('button, input, select, canvas, progress, svg, table')].filter((element) => {
        const name = element.ariaLabel ?? element.getAttribute('aria-label') ?? (element.labels?.length ? 'a label' : element.textContent.trim());
        return !name;
    }).map((element) => element.outerHTML.slice(0, 80));";
    visit(files(true), [360, 780], |browser, _| {
        start(browser, &json!({ "epochs": 1 }))?;
        browser.wait("document.querySelector('#status').textContent.startsWith('Done')")?;
        browser
            .run("document.querySelector('#kernels-title').parentElement.querySelector('details').open = true;", &[])?;
        let found = browser.run(wide, &[])?;
        expect("wider than the screen", &found, &json!([false]))?;
        expect("without a name", &browser.run(nameless, &[])?, &json!([]))
    })
}
