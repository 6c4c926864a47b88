/** The look of the stand-ins' few pages: one stylesheet, no scripts, light and dark by the system, usable at 360 px. */
const STYLE = `
:root{color-scheme:light dark;--bg:#f6f7f8;--card:#fff;--text:#14191d;--soft:#56616b;--line:#dde2e6;--accent:#0b6e6e;--on:#fff;--warn:#8a5300}
@media(prefers-color-scheme:dark){:root{--bg:#0f1316;--card:#171d21;--text:#e8edf0;--soft:#9fadb7;--line:#2a333a;--accent:#4fc0bb;--on:#06201f;--warn:#e8b55c}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main{max-width:760px;margin:0 auto;padding:20px 16px 48px}h1{font-size:20px;margin:4px 0 12px;overflow-wrap:anywhere}
a{color:var(--accent)}.soft{color:var(--soft)}.warn{color:var(--warn)}.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px;margin:12px 0}
dl{display:grid;grid-template-columns:minmax(72px,auto) 1fr;gap:4px 12px;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.sum{font-size:28px;font-weight:600;font-variant-numeric:tabular-nums;margin:0}
form{margin:0}.actions{display:grid;gap:8px;margin-top:16px}
button{font:inherit;width:100%;padding:10px 14px;border-radius:8px;border:1px solid var(--line);background:var(--card);color:var(--text);cursor:pointer;text-align:left}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--on);font-weight:600}button:hover{border-color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
ul.list{list-style:none;margin:12px 0;padding:0}ul.list li{border:1px solid var(--line);border-bottom:0;background:var(--card)}ul.list li:last-child{border-bottom:1px solid var(--line)}
ul.list a{display:block;padding:10px 14px;color:inherit;text-decoration:none;overflow-wrap:anywhere}ul.list a:hover strong{color:var(--accent)}
iframe{width:100%;height:560px;border:1px solid var(--line);border-radius:8px;background:#fff}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,monospace;margin:0}
`

/** Text made safe to stand in markup, also inside a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A whole page around the given markup. The title is text; the body is markup whose parts are already escaped. */
export function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head><body><main>${body}</main></body></html>`
}
