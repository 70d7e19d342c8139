// Puts the chat on any page: docs/embedding.md.
(() => {
const script = document.currentScript;
if (!script || !/^https?:/.test(script.src)) return;
const options = script.dataset, app = new URL(".", script.src);
const texts = {
  __proto__: null,
  en: ["Questions? Ask our articles", "Close", "The chat is loading.", "The chat cannot be shown here just now.", "Open it on its own page"],
  ms: ["Ada soalan? Tanya artikel kami", "Tutup", "Sembang sedang dimuatkan.", "Sembang tidak dapat dipaparkan di sini.", "Buka di halamannya sendiri"],
  zh: ["有疑问？查阅我们的文章", "关闭", "正在加载。", "目前无法在此显示。", "在单独的页面中打开"],
};
const known = options.lang in texts, lang = known ? options.lang : "en";
const [title, shutting, loading, failing, opening] = texts[lang];
const label = options.label || title, src = app + (known ? "?lang=" + lang : "");
const colour = /^#[\da-f]{6}$/i.test(options.colour) ? options.colour : "#0b6e69";
const side = options.side == "left" ? "left" : "right", phone = "(max-width:40em),(max-height:33em)";
// Relative luminance as in WCAG 2.2.
const light = [.2126, .7152, .0722].reduce((sum, weight, at) => {
  const part = parseInt(colour.substr(1 + 2 * at, 2), 16) / 255;
  return sum + weight * (part > .04 ? ((part + .055) / 1.055) ** 2.4 : part / 12.92);
}, 0);
const edge = side => `env(safe-area-inset-${side})`;
// In em: a site may have changed what a rem is.
const css = `:host{all:initial!important;display:block!important;font:medium/1.4 system-ui,sans-serif!important;color-scheme:light dark!important}
*{box-sizing:border-box;font:inherit;overflow-wrap:anywhere}
dialog,.in{inset:auto;background:Canvas;border:1px solid gray;border-radius:12px;overflow:hidden}
dialog[open],.in{display:flex;flex-direction:column}
button{min-height:48px;padding:.5em 1em}
.go,.bar{background:${colour};color:${light > .179 ? "#000" : "#fff"};font-weight:600}
.go,dialog{position:fixed;z-index:2147483647;${side}:max(1em,${edge(side)});bottom:max(1em,${edge("bottom")})}
.go{max-width:calc(100vw - 2em);border:2px solid;border-radius:2em}
dialog{margin:0 0 60px;padding:0;width:26em;height:min(44em,85vh);box-shadow:0 8px 40px #0007}
.bar{display:flex;align-items:center;justify-content:space-between;padding-left:1em}
.bar button{background:0;color:inherit;border:0;text-decoration:underline;flex:none}
:focus-visible{outline:3px solid;outline-offset:-7px}
.in{height:min(46em,90vh)}
.room{position:relative;flex:1}
p{margin:1.5em;font-size:1.1em}
a{display:block;padding:1em 0;color:inherit}
iframe{position:absolute;width:100%;height:100%;border:0}
p+iframe{visibility:hidden}
@media ${phone}{dialog{inset:0;min-width:100%;min-height:100%;margin:0;border:0;border-radius:0;padding:${["top", "right", "bottom", "left"].map(edge).join(" ")}}}
@media print{:host{display:none!important}}`;

// Unlike a style element, no policy of a site forbids it.
const sheet = (text, made = new CSSStyleSheet()) => (made.replaceSync(text), made);
const add = (parent, name, attributes, text = "") => {
  const made = document.createElement(name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  made.textContent = text;
  return parent.appendChild(made);
};
const shadow = parent => {
  const root = add(parent, "div", {"data-faq": "", lang}).attachShadow({mode: "open"});
  root.adoptedStyleSheets = [sheet(css)];
  return root;
};
// Returns what brings the chat. A refused frame loads too: only a page that says so is here.
const chat = (parent, escaped) => {
  const room = add(parent, "div", {class: "room"});
  let said, frame, failed;
  addEventListener("message", ({origin, source, data}) => {
    if (origin !== app.origin || source !== frame?.contentWindow) return;
    if (data === "patient-faq:here") said.remove();
    if (data === "patient-faq:escape") escaped();
  });
  return () => {
    if (frame && !failed) return;
    failed = room.textContent = "";
    const now = said = add(room, "p", {role: "status"}, loading);
    const fail = () => {
      if (failed || !now.isConnected) return;
      failed = now.textContent = failing;
      add(now, "a", {href: src, target: "_blank", rel: "noopener"}, opening);
    };
    frame = add(room, "iframe", {
      title: label, src, allow: "clipboard-write", referrerpolicy: "no-referrer",
      sandbox: "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-modals allow-downloads",
    });
    frame.onload = () => setTimeout(fail, 6e3);
    setTimeout(fail, 2e4);
  };
};
const inline = place => {
  if (!place) console.warn("patient-faq: no id " + options.inline);
  else if (!place.querySelector("[data-faq]")) chat(add(shadow(place), "div", {class: "in"}), () => {})();
};
const launcher = () => {
  if (document.querySelector("body>[data-faq]")) return;
  const root = shadow(document.body), small = matchMedia(phone);
  const go = add(root, "button", {class: "go", "aria-expanded": false, "aria-controls": "p"}, label);
  const panel = add(root, "dialog", {id: "p", role: "dialog", "aria-labelledby": "t"});
  const bar = add(panel, "div", {class: "bar"});
  add(bar, "span", {id: "t"}, label);
  const close = () => panel.close(), begin = chat(panel, close);
  add(bar, "button", {}, shutting).onclick = close;
  const still = sheet(`@media ${phone}{html{overflow:hidden!important}}`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, still];
  const tell = () => still.disabled = !(go.ariaExpanded = panel.open);
  const show = () => small.matches ? panel.showModal() : panel.show();
  tell();
  go.onclick = () => {
    if (panel.open) return close();
    begin();
    show();
    tell();
  };
  panel.onkeydown = go.onkeydown = ({key}) => { if (key === "Escape") close(); };
  panel.onclose = () => { tell(); panel.open || go.focus(); };
  small.onchange = () => { if (panel.open) { close(); show(); } };
};
const start = () => options.inline ? inline(document.getElementById(options.inline)) : launcher();
document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
