# SPDX-License-Identifier: MIT
"""Drives headless Chromium through its pipe (DevTools protocol) and uses the report page as a person would.

usage: browser.py DIRECTORY-with-index.html-and-analysis/index.html [DIRECTORY-for-screenshots]
"""
import base64
import json
import os
import select
import subprocess
import sys
import time

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps", "--no-first-run",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
]
WAIT_S = 60  # nothing here takes a second on a machine that is not busy


class Browser:
    def __init__(self, profile):
        to_child, self.write_fd = os.pipe()
        self.read_fd, from_child = os.pipe()

        def place():  # Chromium reads from descriptor 3 and writes to 4
            a, b = os.dup(to_child), os.dup(from_child)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            ["chromium", *FLAGS, "--user-data-dir=" + profile, "about:blank"], preexec_fn=place, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.buffer, self.id, self.session, self.events = b"", 0, None, []

    def receive(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.read_fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self.read_fd, 1 << 20)
            if not part:
                raise EOFError("the browser has ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.id += 1
        message = {"id": self.id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + WAIT_S + 10
        while True:
            answer = self.receive(deadline)
            if answer.get("id") != self.id:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def attach(self):
        page = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def js(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(f"{expression}: {r['exceptionDetails']}")
        return r["result"].get("value")

    def until(self, expression, what):
        """Wait in the page, frame by frame, until the expression holds."""
        held = self.js(f"""new Promise(done => {{
            const end = performance.now() + {WAIT_S * 1000}, holds = () => !!({expression});
            const look = () => holds() ? done(true) : performance.now() > end ? done(false) : requestAnimationFrame(look);
            look(); }})""")
        assert held, f"never: {what}"

    def event(self, method, start):
        """The first event of that kind from number `start` on."""
        deadline = time.monotonic() + WAIT_S
        while True:
            for e in self.events[start:]:
                if e.get("method") == method:
                    return e
            start = len(self.events)
            self.events.append(self.receive(deadline))

    def navigate(self, url):
        start = len(self.events)
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        self.event("Page.loadEventFired", start)

    def open(self, url):
        self.navigate("about:blank")  # another fragment of the same page alone would load nothing
        self.navigate(url)
        same_page = self.js("location.href").split("#")[0]
        assert same_page == url.split("#")[0], f"at {same_page} instead of {url}"

    def place_of(self, selector):
        return self.js(f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{block: 'center', behavior: 'instant'}}); const r = e.getClientRects()[0];
            return [r.left + r.width / 2, r.top + r.height / 2]; }})()""")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector):
        x, y = self.place_of(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def end(self):
        self.process.kill()
        self.process.wait()


SHOWN = "[...document.querySelectorAll('%s')].filter(e => e.getClientRects().length).length"
SECTIONS = SHOWN % "section.scenario"
ROWS = SHOWN % ".overview tbody tr"

# WCAG 2.1, 1.4.3: the contrast of every text with what lies behind it; answers with those below 4.5 to 1.
CONTRAST = r"""(() => {
  const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c.slice(0, 3); } return [255, 255, 255]; };
  const bad = new Set();
  for (const e of document.querySelectorAll('main *')) {
    if (e.namespaceURI.endsWith('svg') && e.tagName !== 'text') continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    if (e.closest('.phase, .no')) continue;
    const s = getComputedStyle(e), c = rgb(e.tagName === 'text' ? s.fill : s.color).slice(0, 3), b = behind(e);
    const [x, y] = [light(c), light(b)].sort((p, q) => q - p), ratio = (x + 0.05) / (y + 0.05);
    if (ratio < 4.5) bad.add(e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + ratio.toFixed(2));
  }
  return [...bad].join('; ');
})()"""


def same(what, got, want):
    assert got == want, f"{what}: {got!r} instead of {want!r}"
    print(f"ok: {what}")


def soon(b, what, expression, want):
    """As same(), for what follows an event: the page reacts to a new fragment a moment later."""
    b.until(f"({expression}) === {json.dumps(want)}", f"{what}: {want!r}")
    same(what, b.js(expression), want)


def check_load(b, url):
    b.open(url)
    same("verdict in big words", b.js("document.querySelector('h1').innerText.trim()"), "Leak")
    same("every scenario is shown", (b.js(SECTIONS), b.js(ROWS)), (12, 12))
    same("a foreign inline script does not run", b.js("""(() => { const s = document.createElement('script');
        s.textContent = 'window.ran = 1'; document.body.append(s); return typeof window.ran; })()"""), "undefined")
    same("no request leaves the page", b.js("fetch('http://198.51.100.131/').then(() => 'sent', () => 'blocked')"),
         "blocked")
    same("hostile names are text", b.js("document.querySelectorAll('script').length"), 2)  # ours, and the one above


def check_filter(b):
    b.click(".filter a[data-f=leak]")
    b.until("location.hash === '#v=leak'", "the filter in the fragment")
    soon(b, "filter: leak", f"{SECTIONS} + 100 * {ROWS}", 202)
    same("the chosen filter is marked", b.js("document.querySelector('.filter [aria-current]').dataset.f"), "leak")
    b.click(".overview a[href='#s-control-start-window']")
    b.until("location.hash === '#v=leak&s=s-control-start-window'", "filter and anchor in one fragment")
    b.until("Math.abs(document.getElementById('s-control-start-window').getBoundingClientRect().top) < 130",
            "the scenario in sight")
    same("the filter stays", b.js(SECTIONS), 2)
    b.js("history.back()")
    b.until("location.hash === '#v=leak'", "back")
    b.click(".filter a[data-f='']")
    soon(b, "filter off", SECTIONS, 12)


def check_fragment(b, url):
    b.open(url + "#v=unexpected")
    same("a shared link filters", b.js(SECTIONS), 6)
    b.open(url + "#v=pass&s=s-dns-outage")
    same("an anchor outside the filter is shown all the same", b.js(SECTIONS), 7)
    b.open(url + "#s-dns-outage")
    same("an anchor alone filters nothing", b.js(SECTIONS), 12)
    b.open(url + "#v=%22%3E%3Cb%3E")
    same("a strange fragment does no harm", (b.js(SECTIONS), b.js("document.querySelectorAll('main b b').length")),
         (0, 0))


def check_folds(b, url):
    b.open(url)
    folds = "[...document.querySelectorAll('.scenario .fold')]"
    b.click(".unfold")
    same("unfold all", b.js(folds + ".every(d => d.open)"), True)
    b.click(".unfold")
    same("fold all", b.js(folds + ".some(d => d.open)"), False)
    b.click("#s-steady-state .fold summary")
    same("one fold", b.js(folds + ".filter(d => d.open).length"), 1)


def check_axis(b):
    chart = "#s-kill-vpn-process .chart"
    x, y = b.place_of(chart)
    b.mouse("mouseMoved", x, y)
    text = b.js(f"document.querySelector('{chart} .readout').textContent")
    assert "Tunnel traffic: 0" in text and "Blocked attempts: " in text and "Gateway healthy: no" in text, text
    print("ok: values under the pointer: " + text)
    b.mouse("mouseMoved", 1, 1)
    b.js(f"document.querySelector('{chart}').focus()")
    b.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", code="ArrowRight")
    same("values by key", b.js(f"document.querySelector('{chart} .readout').textContent.startsWith('12.')"), True)
    same("leaks are marks", b.js("document.querySelectorAll('#s-kill-vpn-container-2 .mark').length > 3"), True)


def check_looks(b, url, shots):
    for scheme in ("light", "dark"):
        b.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for name, width, height in (("desktop", 1280, 900), ("phone", 390, 844), ("small", 320, 640)):
            b.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                   mobile=width < 500)
            b.open(url)
            b.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
            same(f"{scheme} {name}: nothing hangs over the edge",
                 b.js("document.documentElement.scrollWidth <= innerWidth && innerWidth"), width)
            same(f"{scheme} {name}: contrast", b.js(CONTRAST), "")
            if shots:
                b.open(url)
                shoot(b, f"{shots}/{scheme}-{name}.png", width)
        dark = b.js("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(v => v < 60)")
        same(f"{scheme}: the background", dark, scheme == "dark")
    b.call("Emulation.clearDeviceMetricsOverride")
    b.call("Emulation.setEmulatedMedia", features=[])


def shoot(b, path, width):
    height = b.js("document.documentElement.scrollHeight")
    data = b.call("Page.captureScreenshot", captureBeyondViewport=True,
                  clip={"x": 0, "y": 0, "width": width, "height": min(height, 12000), "scale": 1})["data"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(base64.b64decode(data))


def check_without_scripts(b, url):
    b.call("Emulation.setScriptExecutionDisabled", value=True)
    b.open(url + "#v=leak")
    same("without scripts: everything is there", (b.js(SECTIONS), b.js(ROWS)), (12, 12))
    same("without scripts: no dead filter", b.js(SHOWN % ".filter"), 0)
    same("without scripts: the drawings", b.js("document.querySelectorAll('.chart svg.axis .area').length > 10"), True)
    b.click("#s-steady-state .fold summary")
    same("without scripts: folds", b.js("document.querySelector('#s-steady-state .fold').open"), True)
    b.call("Emulation.setScriptExecutionDisabled", value=False)


def check_analysis(b, url, shots):
    """The page of captures of any origin: no filter, no columns of a run, and nothing hangs over."""
    b.open(url)
    same("analysis: the verdict first", b.js("document.querySelector('main > :first-child h1').textContent"), "Leak")
    same("analysis: the sections", b.js("[...document.querySelectorAll('h2')].map(e => e.id).join(' ')"),
         "findings time coverage taps environment")
    same("analysis: no filter", b.js("document.querySelectorAll('.filter').length"), 0)
    same("analysis: packets that are many are folded", b.js("document.querySelectorAll('details.more').length"), 1)
    b.click("details.more summary")
    same("analysis: and unfold", b.js("document.querySelector('details.more').open"), True)
    check_looks(b, url, shots)


def check_events(b):
    """What the browser said meanwhile: no script error, no dialog, no request but for the page itself."""
    for e in b.events:
        method, p = e.get("method"), e.get("params", {})
        assert method != "Runtime.exceptionThrown", p
        assert method != "Page.javascriptDialogOpening", p
        if method == "Network.requestWillBeSent":
            address = p["request"]["url"]
            assert address.startswith(("file:", "about:")) or address == "http://198.51.100.131/", address
        if method == "Log.entryAdded" and p["entry"]["level"] == "error":
            text = p["entry"]["text"]
            assert "Content Security Policy" in text, text  # the two violations that check_load() provokes
    print("ok: no errors, no dialogs, no requests")


def main():
    url = "file://" + os.path.realpath(sys.argv[1]) + "/index.html"
    shots = sys.argv[2] if len(sys.argv) > 2 else None
    b = Browser(os.path.join(sys.argv[1], "profile"))
    try:
        b.attach()
        check_load(b, url)
        check_filter(b)
        check_fragment(b, url)
        check_folds(b, url)
        check_axis(b)
        check_looks(b, url, shots and f"{shots}/run")
        check_analysis(b, url.replace("index.html", "analysis/index.html"), shots and f"{shots}/analysis")
        check_without_scripts(b, url)
        check_events(b)
    finally:
        b.end()


main()
