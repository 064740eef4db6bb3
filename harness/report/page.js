// SPDX-License-Identifier: MIT
// Filter with its state in the fragment (#v=leak&s=s-name), folding, and reading values off the time axis.
"use strict";
(function () {
  const all = (q, e) => Array.from((e || document).querySelectorAll(q));
  const root = document.documentElement;
  root.classList.add("js");

  // "#s-name" alone is an anchor like any other; a filter and an anchor together are "#v=leak&s=s-name".
  function state() {
    const text = decodeURIComponent(location.hash.slice(1));
    if (!text.includes("=")) return { v: "", s: text };
    const p = new URLSearchParams(text);
    return { v: p.get("v") || "", s: p.get("s") || "" };
  }

  function matches(e, v) {
    return !v || (v === "unexpected" ? e.dataset.x === "1" : e.dataset.v === v);
  }

  function show() {
    const s = state();
    const target = s.s && document.getElementById(s.s);
    let shown = 0;
    for (const e of all("[data-x]")) e.classList.toggle("off", e !== target && !matches(e, s.v));
    for (const e of all(".scenario")) if (!e.classList.contains("off")) shown++;
    for (const a of all(".filter a"))
      if (a.dataset.f === s.v) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    for (const e of all(".shown")) e.textContent = s.v ? shown + " shown" : "";
    if (target && s.v) target.scrollIntoView();
  }

  // A link to a scenario keeps the filter.
  document.addEventListener("click", function (ev) {
    const a = ev.target.closest && ev.target.closest('a[href^="#s-"]');
    const v = state().v;
    if (!a || !v || ev.ctrlKey || ev.metaKey || ev.shiftKey) return;
    ev.preventDefault();
    location.hash = "v=" + v + "&s=" + a.getAttribute("href").slice(1);
  });

  for (const button of all(".unfold"))
    button.addEventListener("click", function () {
      const folds = all(".scenario .fold");
      const open = folds.some((d) => !d.open);
      for (const d of folds) d.open = open;
      button.textContent = open ? "fold all" : "unfold all";
    });

  function reader(chart) {
    const lanes = all(".lane", chart).map((e) => ({ t: e.dataset.t, u: e.dataset.u, v: e.dataset.v.split(",") }));
    const cols = +chart.dataset.cols, span = +chart.dataset.span;
    const cursor = chart.querySelector(".cursor"), out = chart.querySelector(".readout");
    let at = -1;

    function value(l) {
      const n = l.v[at];
      if (l.u === "state") return n === "" ? "unknown" : +n > 0 ? "yes" : "no";
      return n === "" ? "0" : n;
    }
    function read(col) {
      at = Math.max(0, Math.min(cols - 1, col));
      const x = (100 * (at + 0.5)) / cols + "%";
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      chart.classList.add("reading");
      out.textContent = [((at * span) / cols).toFixed(2) + " s"].concat(lanes.map((l) => l.t + ": " + value(l))).join(" · ");
    }
    function leave() {
      chart.classList.remove("reading");
      out.textContent = "";
    }
    chart.addEventListener("pointermove", function (ev) {
      const r = chart.getBoundingClientRect();
      read(Math.floor(((ev.clientX - r.left) / r.width) * cols));
    });
    chart.addEventListener("pointerleave", leave);
    chart.addEventListener("blur", leave);
    chart.addEventListener("keydown", function (ev) {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: 20, PageUp: -20 }[ev.key];
      if (!step) return;
      ev.preventDefault();
      read(at + step);
    });
  }

  all(".chart").forEach(reader);
  addEventListener("hashchange", show);
  show();
})();
