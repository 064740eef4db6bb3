/* SPDX-License-Identifier: MIT */
/* Style and script of the page. The policy forbids everything external: the page is a single file. */
#ifndef REPORT_REPORT_HTML_ASSETS_H
#define REPORT_REPORT_HTML_ASSETS_H

static const char report_html_head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	"style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>leakproof report</title>\n<style>\n"
	":root{--bg:#fbfbf9;--fg:#1d2329;--soft:#5b6570;--line:#dfe3e6;--card:#fff;--ok:#1a7f46;"
	"--bad:#b3261e;--warn:#8a5a00;--blue:#2563a8;--fault:#f4c95d55;--phase:#2563a810}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e6eaee;--soft:#98a3ae;"
	"--line:#2c343b;--card:#1b2127;--ok:#4cc38a;--bad:#ff7a70;--warn:#e5b454;--blue:#6cb0f5;"
	"--fault:#f4c95d33;--phase:#6cb0f512}}\n"
	"*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);"
	"font:15px/1.5 system-ui,sans-serif}header,main{max-width:1100px;margin:0 auto;padding:16px}\n"
	"header{padding-top:32px}h1{font-size:clamp(34px,8vw,60px);margin:0;line-height:1.1;"
	"text-transform:uppercase;letter-spacing:.02em}header.pass h1{color:var(--ok)}"
	"header.leak h1,header.fail h1{color:var(--bad)}header.inconclusive h1,header.error h1,"
	"header.skipped h1{color:var(--warn)}.brand,.facts,small{color:var(--soft)}.brand{margin:0}"
	".sentence{font-size:19px;margin:.4em 0}\n"
	"h2{margin:1.6em 0 .5em;font-size:20px}h3{margin:0;font-size:18px}h4{margin:1em 0 .3em}"
	"h3 a{color:inherit;text-decoration:none}a{color:var(--blue)}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}"
	"th{text-align:left;color:var(--soft);font-weight:600}td,th{padding:5px 10px 5px 0;"
	"border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}"
	".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}code{font-size:12.5px}\n"
	".badge{display:inline-block;padding:1px 9px;border-radius:9px;border:1.5px solid;font-size:13px;"
	"font-weight:600}.badge{color:var(--warn)}.badge.pass{color:var(--ok)}.badge.leak,.badge.fail"
	"{color:var(--bad)}.badge.expected{color:var(--ok)}\n"
	"section.sc{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px;"
	"margin:16px 0}section.sc p{margin:.3em 0}.reason{font-weight:600}\n"
	".axis{margin:10px 0;overflow-x:auto}svg{width:100%;min-width:560px;display:block}"
	"svg text{font:11px system-ui,sans-serif;fill:var(--soft)}svg .wl{fill:var(--fg);font-weight:600}"
	"svg .sl{fill:var(--fg)}.w-fault{fill:var(--fault)}.w-phase{fill:var(--phase)}"
	".tick{stroke:var(--line)}.s{fill:var(--blue);fill-opacity:.35;stroke:var(--blue);stroke-width:1}"
	".s-blocked{fill:var(--warn);stroke:var(--warn)}.s-canaries{fill:var(--soft);stroke:var(--soft)}"
	".s-health{fill:var(--ok);stroke:var(--ok)}.mark{fill:var(--bad)}\n"
	"button{font:inherit;margin-right:6px;border:1px solid var(--line);background:var(--card);"
	"color:inherit;border-radius:8px;padding:3px 10px;cursor:pointer}"
	"button[aria-pressed=true]{border-color:var(--blue);color:var(--blue)}\n"
	"summary{cursor:pointer;margin-top:10px;color:var(--soft)}[hidden]{display:none}\n"
	"</style></head><body>\n";

static const char report_html_foot[] =
	"</main>\n<script>\n"
	"'use strict';\n"
	"const nav=document.getElementById('filter');nav.hidden=false;\n"
	"function apply(){const m=/(?:^|[#&])show=([a-z]*)/.exec(location.hash),f=m?m[1]:'';\n"
	"for(const b of nav.querySelectorAll('button'))b.setAttribute('aria-pressed',b.dataset.f===f);\n"
	"for(const s of document.querySelectorAll('section.sc'))s.hidden=!(f===''||f===s.dataset.verdict||"
	"(f==='unexpected'&&s.dataset.expected==='0'));}\n"
	"nav.addEventListener('click',e=>{const f=e.target.dataset.f;if(f!==undefined)"
	"location.hash=f?'show='+f:'';});\n"
	"addEventListener('hashchange',apply);apply();\n"
	"</script></body></html>\n";

#endif
