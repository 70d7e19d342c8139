"use strict";
// The chat stands in another tab: closing this one goes back to it as it was. Without a script the link opens the chat.
document.getElementById("back").addEventListener("click", function (event) {
  if (window.history.length <= 1) { event.preventDefault(); window.close(); }
});
// Browsers let a page close itself only while nothing was added to its history, as links within the page and to other pages
// of it would do.
document.querySelectorAll('a[href^="#"], a.turn').forEach(function (link) {
  link.addEventListener("click", function (event) { event.preventDefault(); location.replace(link.href); });
});
var printing = document.getElementById("print");
if (printing) printing.addEventListener("click", function () { window.print(); });
