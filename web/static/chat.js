// What the chat's page does beyond Gradio: questions that are asked by pressing them, copying, printing, a message for a
// consultation, and what patients tell about a quote. Nothing is kept in the browser.
(function begin() {
  "use strict";
  // Gradio may put this in before or after the page has been read.
  if (!document.body) return addEventListener("DOMContentLoaded", begin);
  if (document.documentElement.dataset.pfChat) return;
  document.documentElement.dataset.pfChat = "1";

  var words = null; // of the page's language, and how the clinic is reached; asked for once
  var seen = "";
  var wanted = new URLSearchParams(location.search).get("lang") || "";
  var spoken = "";

  // Lets the page speak the language that is wanted, if it does not; the chat stays.
  function speak() {
    var button = document.getElementById("pf-speak");
    if (!wanted || spoken === wanted || !button || !document.querySelector(".pf-topics, .pf-languages")) return;
    spoken = wanted;
    if (language() !== wanted) button.click();
  }

  function language() {
    var header = document.querySelector(".pf-header");
    return (header && header.lang) || "en";
  }

  function load() {
    if (words && words.code === language()) return Promise.resolve(words);
    return fetch("/words/" + language(), { credentials: "omit" })
      .then(function (reply) { if (!reply.ok) throw new Error(); return reply.json(); })
      .then(function (found) { words = found; return words; });
  }

  // ---- Names for screen readers, and each new question at the top of the screen, where its answer is read from.
  function look() {
    speak();
    if (document.documentElement.lang !== language()) {
      document.documentElement.lang = language();
      load().then(look, function () {});
    }
    if (words) document.querySelectorAll("[data-testid=user], [data-testid=bot]").forEach(function (message) {
      var name = message.dataset.testid === "user" ? words.page.question : words.page.answer;
      if (message.getAttribute("aria-label") !== name) message.setAttribute("aria-label", name);
    });
    var asked = document.querySelectorAll(".pf-asked");
    var last = asked[asked.length - 1];
    var now = last ? asked.length + last.textContent : "";
    if (last && now !== seen) setTimeout(function () { last.scrollIntoView({ block: "start" }); }, 60);
    seen = now;
  }
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  load().then(look, function () {});

  // ---- A question that was refused or never arrived: Gradio says nothing then, and leaves it in the box.
  var fetched = window.fetch;
  window.fetch = function (address, options) {
    var asking = /\/gradio_api\/run\/predict/.test(String((address && address.url) || address));
    // What the page's address says of the language, Gradio does not pass on.
    if (asking && wanted && typeof address === "string") address += (address.indexOf("?") < 0 ? "?" : "&") + "lang=" + encodeURIComponent(wanted);
    var sent = fetched.call(this, address, options);
    if (!asking) return sent;
    return sent.then(function (reply) {
      trouble(reply.ok ? "" : reply.status === 429 ? "too_many" : "refused");
      return reply;
    }, function () {
      trouble("unreached");
      // Of a connection that failed Gradio would make a page that is loaded anew, without the chat.
      return new Response('{"detail": ""}', { status: 503, headers: { "Content-Type": "application/json" } });
    });
  };

  function trouble(name) {
    var told = document.getElementById("pf-trouble");
    if (!told && !name) return;
    if (!told) {
      told = document.createElement("p");
      told.id = "pf-trouble";
      told.setAttribute("role", "alert");
      document.getElementById("pf-ask").prepend(told);
    }
    told.textContent = name && words ? words.page[name] : "";
  }

  // ---- Buttons in the chat. Its HTML carries no script, so that all of them are heard here.
  document.addEventListener("click", function (event) {
    var other = event.target.closest && event.target.closest(".pf-languages a");
    if (other) {
      event.preventDefault();
      wanted = other.lang;
      history.replaceState(null, "", "?lang=" + wanted);
      speak();
    }
    var button = event.target.closest && event.target.closest("button");
    if (!button) return;
    if (button.matches(".pf-ask-this")) ask((button.querySelector(".pf-example-question") || button).textContent.trim());
    else if (button.matches(".pf-copy")) copy(button);
    else if (button.matches(".pf-print")) print(button);
    else if (button.matches(".pf-hand-over")) handOver(button);
    else if (button.matches(".pf-felt")) tell(button);
  });

  function ask(text) {
    var box = document.querySelector("#pf-ask textarea");
    var send = document.querySelector("#pf-ask button");
    if (!box || !send) return;
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    // The page takes up what is in the box a moment later.
    setTimeout(function () { send.click(); }, 30);
  }

  function questionOf(answer) {
    var asked = [].filter.call(document.querySelectorAll(".pf-asked"), function (one) {
      return one.compareDocumentPosition(answer) & Node.DOCUMENT_POSITION_FOLLOWING;
    });
    return asked.length ? asked[asked.length - 1].innerText.trim() : "";
  }

  function line(element) { return element ? element.innerText.replace(/\s+/g, " ").trim() : ""; }

  // How the review of an article stands, as its quote says it.
  function state(within, place) {
    return [".pf-state", ".pf-due"].map(function (name) { return line(within.querySelector(place + name)); }).filter(Boolean).join(" – ");
  }

  // The quotes of an answer as plain text, each with where it stands.
  function quoted(answer, addresses) {
    var found = [];
    answer.querySelectorAll(".pf-quote").forEach(function (quote) {
      var text = "“" + quote.querySelector("blockquote").innerText.trim() + "”\n" + line(quote.querySelector(".pf-place"));
      text += " – " + state(quote, "figcaption > ");
      if (addresses) text += "\n" + quote.querySelector(".pf-read").href;
      found.push(text);
    });
    answer.querySelectorAll(".pf-statement").forEach(function (statement) {
      var row = statement.closest("tr");
      var text = "“" + statement.querySelector("p").innerText.trim() + "”\n" + line(row.querySelector("th > span")) + " – " + state(row, "th > ");
      found.push(text + (addresses ? "\n" + statement.querySelector(".pf-read").href : ""));
    });
    return found;
  }

  function clipboard(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    return new Promise(function (done, failed) {
      var area = document.createElement("textarea");
      area.value = text;
      area.style.position = "fixed";
      area.style.opacity = "0";
      (document.querySelector("dialog[open]") || document.body).append(area);
      area.select();
      var copied = false;
      try { copied = document.execCommand("copy"); } catch (problem) { copied = false; }
      area.remove();
      if (copied) done(); else failed(new Error());
    });
  }

  // Says a few words beside a button, aloud too.
  function say(button, text) {
    var row = button.parentElement;
    var said = row.querySelector(".pf-said");
    if (!said) {
      said = document.createElement("span");
      said.className = "pf-said";
      said.setAttribute("role", "status");
      row.append(said);
    }
    setTimeout(function () { said.textContent = text; }, 20);
  }

  function copy(button) {
    var answer = button.closest(".pf-answer");
    var text = [questionOf(answer), line(answer.querySelector(".pf-lead"))].concat(quoted(answer, true)).join("\n\n");
    load().then(function () {
      return clipboard(text).then(
        function () { say(button, words.copied.done); },
        function () { say(button, words.copied.failed); });
    }, function () {});
  }

  function print(button) {
    var answer = button.closest(".pf-answer");
    var sheet = document.createElement("div");
    sheet.id = "pf-sheet";
    var header = document.querySelector(".pf-header");
    if (header) sheet.append(header.cloneNode(true));
    var asked = document.createElement("p");
    asked.className = "pf-asked";
    asked.textContent = questionOf(answer);
    sheet.append(asked, answer.cloneNode(true));
    document.body.append(sheet);
    document.documentElement.classList.add("pf-printing");
    addEventListener("afterprint", function done() {
      removeEventListener("afterprint", done);
      document.documentElement.classList.remove("pf-printing");
      sheet.remove();
    });
    window.print();
  }

  // ---- A message for a consultation: written here, changed and sent by the patient.
  function handOver(button) {
    var answer = button.closest(".pf-answer");
    load().then(function () {
      var say = words.hand_over, clinic = words.clinic;
      var found = quoted(answer, false);
      var text = say.greeting.replace("{clinic}", clinic.name) + "\n\n" + say.question + "\n" + questionOf(answer) + "\n";
      if (found.length) text += "\n" + say.read + "\n" + found.join("\n\n") + "\n";
      var dialog = document.createElement("dialog");
      dialog.className = "pf-dialog";
      dialog.setAttribute("aria-labelledby", "pf-dialog-title");
      function add(parent, tag, given, inner) {
        var element = document.createElement(tag);
        Object.keys(given).forEach(function (name) { element.setAttribute(name, given[name]); });
        if (inner) element.textContent = inner;
        parent.append(element);
        return element;
      }
      add(dialog, "h2", { id: "pf-dialog-title" }, say.title);
      add(dialog, "p", {}, say.note);
      add(dialog, "label", { "for": "pf-message" }, say.text);
      var area = add(dialog, "textarea", { id: "pf-message", rows: "9" });
      area.value = text;
      var ways = add(dialog, "div", { "class": "pf-ways" });
      var links = [];
      function way(label, address) {
        links.push([add(ways, "a", { "class": "pf-way", target: "_blank", rel: "noopener" }, label), address]);
      }
      if (clinic.email) way(say.mail, function (text) {
        return "mailto:" + clinic.email + "?subject=" + encodeURIComponent(say.subject) + "&body=" + encodeURIComponent(text.replace(/\n/g, "\r\n"));
      });
      if (clinic.whatsapp) way(say.whatsapp, function (text) {
        return "https://wa.me/" + clinic.whatsapp.replace(/\D/g, "") + "?text=" + encodeURIComponent(text);
      });
      if (clinic.booking_url) way(say.book, function () { return clinic.booking_url; });
      var copying = add(ways, "button", { type: "button", "class": "pf-do" }, say.copy);
      var close = add(ways, "button", { type: "button", "class": "pf-do" }, say.close);
      function address() { links.forEach(function (link) { link[0].href = link[1](area.value); }); }
      area.addEventListener("input", address);
      address();
      copying.addEventListener("click", function () {
        clipboard(area.value).then(
          function () { said(copying, words.copied.done); },
          function () { said(copying, words.copied.failed); });
      });
      close.addEventListener("click", function () { dialog.close(); });
      dialog.addEventListener("close", function () { dialog.remove(); button.focus(); });
      document.body.append(dialog);
      dialog.showModal();
      area.setSelectionRange(0, 0);
      area.scrollTop = 0;
    }, function () {});
  }
  var said = say;

  // ---- What a patient tells about a quote, where the clinic collects it.
  function tell(button) {
    var quote = button.closest(".pf-quote, .pf-statement"), row = button.parentElement;
    if (row.dataset.told) return;
    var address = new URL(quote.querySelector(".pf-read").href);
    var parts = address.pathname.split("/");
    var told = {
      release: decodeURIComponent(parts[2]), doc: decodeURIComponent(parts.slice(3).join("/")),
      start: Number(address.searchParams.get("start")), end: Number(address.searchParams.get("end")),
      felt: button.className.match(/pf-felt-(\w+)/)[1], question: questionOf(button.closest(".pf-answer"))
    };
    row.dataset.told = "1";
    load().then(function () {
      return fetch("/feedback", {
        method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify(told)
      }).then(function (reply) {
        if (!reply.ok) throw new Error();
        row.querySelectorAll(".pf-felt").forEach(function (one) { one.setAttribute("aria-pressed", String(one === button)); });
        say(button, words.feedback.thanks);
      });
    }).catch(function () {
      delete row.dataset.told;
      if (words) say(button, words.feedback.failed);
    });
  }
})();
