// What Gradio does not do: say that one is signed out without losing what was typed, and leave nothing behind after that.
(function () {
  "use strict";
  // Gradio may put this script in more than once.
  if (window.pfStaff) return;
  window.pfStaff = true;

  // A page that the browser kept for its back button may be somebody's who has signed out.
  window.addEventListener("pageshow", function (event) { if (event.persisted) window.location.reload(); });
  var others = "BroadcastChannel" in window ? new BroadcastChannel("patient-faq-staff") : null;
  if (others) others.onmessage = function () { leaving = true; document.body.hidden = true; leave(50); };
  // The other page says so as it asks the server: until that has happened, the way in would lead back here.
  function leave(times) {
    ask.call(window, "/look/page.js", { cache: "no-store" }).then(function (reply) { return reply.ok; }, function () { return false; })
      .then(function (still) {
        if (still && times) setTimeout(function () { leave(times - 1); }, 100);
        else window.location.replace("/login");
      });
  }
  document.addEventListener("submit", function (event) {
    if (event.target.getAttribute("action") === "/logout" && others) others.postMessage("out");
  });

  function tell() {
    if (document.getElementById("pf-signed-out")) return;
    var bar = document.createElement("div");
    bar.id = "pf-signed-out";
    bar.setAttribute("role", "alert");
    bar.append("You are signed out. What you typed is still here: ");
    var link = document.createElement("a");
    link.href = "/login";
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = "sign in again in a new tab";
    bar.append(link, ", come back, and go on.");
    document.body.prepend(bar);
  }
  var ask = window.fetch;
  window.fetch = function () {
    return ask.apply(this, arguments).then(function (reply) {
      var bar = document.getElementById("pf-signed-out");
      if (reply.status === 401) tell();
      else if (bar) bar.remove();
      return reply;
    });
  };

  // Gradio gives a button no file and no word of a table: what is chosen is put into a box that nobody sees.
  var MOST = 50 * 1024 * 1024;
  var INTO = { "pf-add": "pf-added", "pf-replace": "pf-replaced" };
  function put(box, text) {
    var area = document.querySelector("#" + box + " textarea, #" + box + " input");
    var go = document.getElementById(box + "-go");
    if (!area || !go) return;
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    // The page takes up what is in the box a moment later.
    setTimeout(function () { go.click(); }, 30);
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".pf-open")) {
      var name = button.closest("tr").querySelector(".pf-file").textContent;
      put("pf-picked", name);
      show([name]);
    }
    else if (INTO[button.id]) choose(button);
  });

  // An article opens below the list of all, where nobody would see that it has.
  var showing = 0;
  function show(names) {
    var mine = ++showing, since = Date.now();
    (function look() {
      var head = document.getElementById("pf-head");
      var there = head && head.offsetParent && names.some(function (name) { return head.textContent.indexOf(name + ":") >= 0; });
      var title = there && head.querySelector("h2");
      if (mine !== showing || Date.now() - since > 60000) return;
      if (!title) { setTimeout(look, 100); return; }
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
      head.scrollIntoView();
    })();
  }

  // What is typed in an article and not saved would go with the page.
  var typed = false, leaving = false;
  document.addEventListener("input", function (event) {
    if (event.isTrusted && event.target.closest("#pf-source, #pf-form")) typed = true;
  });
  new MutationObserver(function (changes) {
    var done = changes.some(function (change) {
      return change.target.nodeType === 1 && change.target.closest("#pf-said-articles, #pf-head");
    });
    if (done && !document.querySelector("#pf-said-articles .pf-problem")) typed = false;
  }).observe(document.documentElement, { childList: true, subtree: true });
  window.addEventListener("beforeunload", function (event) { if (typed && !leaving) event.preventDefault(); });

  function choose(button) {
    var input = document.createElement("input");
    input.type = "file";
    input.id = "pf-chosen";
    input.hidden = true;
    input.multiple = button.id === "pf-add";
    input.onchange = function () { send([].slice.call(input.files), INTO[button.id]); input.remove(); };
    var before = document.getElementById("pf-chosen");
    if (before) before.remove();
    document.body.append(input);
    input.click();
  }

  function send(files, box) {
    var bar = document.createElement("div");
    bar.id = "pf-sending";
    bar.setAttribute("role", "status");
    document.body.append(bar);
    var told = [], signedOut = false;
    files.reduce(function (before, file, number) {
      return before.then(function () {
        var wrong = !file.size ? "is empty." : file.size > MOST ? "is larger than 50 MB. Save it smaller, or as several files." : "";
        if (wrong) { told.push({ detail: file.name + ": " + wrong }); return; }
        bar.textContent = "Sending " + file.name + " (" + (number + 1) + " of " + files.length + ")";
        return window.fetch("/upload?name=" + encodeURIComponent(file.name), {
          method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file,
        }).then(function (reply) {
          if (reply.status === 401) signedOut = true;
          return reply.json().then(function (said) {
            told.push(reply.ok ? { token: said.token } : { detail: file.name + ": " + (said.detail || "it was not taken.") });
          });
        }).catch(function () { told.push({ detail: file.name + ": it could not be sent. Please try again." }); });
      });
    }, Promise.resolve()).then(function () {
      bar.remove();
      if (told.length && !signedOut) {
        put(box, JSON.stringify({ files: told, at: Date.now() }));
        if (box === "pf-added") show(files.map(function (file) { return file.name; }));
      }
    });
  }

  function isFiles(event) {
    var add = document.getElementById("pf-add");
    return add && add.offsetParent && event.dataTransfer && [].indexOf.call(event.dataTransfer.types, "Files") >= 0;
  }
  document.addEventListener("dragover", function (event) { if (isFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", function (event) {
    if (!isFiles(event)) return;
    event.preventDefault();
    send([].slice.call(event.dataTransfer.files), INTO["pf-add"]);
  });
})();
