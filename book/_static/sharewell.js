/* Which pages were read, kept in the reader's browser and nowhere else; and the way to the same place in another language. */
(() => {
  "use strict";
  const KEY = "sharewell-read";

  // A page that was opened as a file cannot read other files: the search shows titles, without excerpts.
  if (window.location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  }

  function read() {
    try {
      return new Set(JSON.parse(localStorage.getItem(KEY) || "[]"));
    } catch {
      return new Set(); // a browser that keeps nothing, or somebody else's value
    }
  }

  function keep(pages) {
    try {
      localStorage.setItem(KEY, JSON.stringify([...pages]));
    } catch {
      /* a browser that keeps nothing: the box works until the page is left */
    }
  }

  /** The name of the page that a link leads to, the same in all languages: lessons/..., labs/... */
  function pageOf(link) {
    const found = link.pathname.match(/\/((?:lessons|labs)\/.+)\.html$/);
    return found ? found[1] : null;
  }

  function mark() {
    const pages = read();
    for (const link of document.querySelectorAll("nav.bd-links a, ol.way a")) {
      const done = pages.has(pageOf(link));
      link.classList.toggle("was-read-mark", done);
      const stop = link.closest("ol.way > li");
      if (stop && stop.querySelector("a") === link) stop.classList.toggle("was-read", done);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.querySelector(".was-it-read input");
    const page = pageOf(window.location);
    if (box && page) {
      box.checked = read().has(page);
      box.addEventListener("change", () => {
        const pages = read();
        if (box.checked) pages.add(page);
        else pages.delete(page);
        keep(pages);
        mark();
      });
    }
    mark();
    for (const link of document.querySelectorAll(".language-switch")) {
      link.addEventListener("click", () => {
        link.hash = window.location.hash; // headings have the same names in all languages
      });
    }
  });
  window.addEventListener("storage", mark);
  window.addEventListener("pageshow", mark);
})();
