// For the chat in a frame on another page: less room taken, and the page around it is told what it must know.
(function () {
  "use strict";
  var page = document.documentElement;
  // Gradio may put this script in more than once.
  if (window === window.top || page.classList.contains("pf-embedded")) return;
  page.classList.add("pf-embedded");
  // To any origin: these words tell nothing, and which pages may be around is settled by the policy of the server.
  function say(what) { window.parent.postMessage("patient-faq:" + what, "*"); }
  document.addEventListener("keydown", function (event) {
    var ours = document.querySelector("dialog[open]"); // it closes that first
    if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented && !ours) say("escape");
  });
  say("here");
})();
