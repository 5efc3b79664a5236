"use strict";
(() => {
  /* Light or dark, kept from page to page. */
  const root = document.documentElement;
  const chosen = localStorage.getItem("blpo-theme");
  if (chosen) root.dataset.theme = chosen;

  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      queueMicrotask(() => localStorage.setItem("blpo-theme", root.dataset.theme));
    });

    /* A page that is not complete yet. */
    const waiting = document.querySelector("[data-reload]");
    if (waiting) setTimeout(() => location.reload(), Number(waiting.dataset.reload));

    /* Runs to compare: the button says how many are marked. */
    const compare = document.querySelector("[data-compare]");
    if (compare) {
      const button = compare.querySelector(".actions button");
      const show = () => {
        const marked = compare.querySelectorAll("input:checked").length;
        button.disabled = marked < 2;
        button.textContent = marked < 2 ? "Mark two runs or more to compare" : `Compare ${marked} runs`;
      };
      compare.addEventListener("change", show);
      show();
    }
  });
})();
