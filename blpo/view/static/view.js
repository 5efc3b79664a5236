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

    /* A run at work: the server sends the panel after every change. */
    const live = document.querySelector("[data-live]");
    if (live) {
      const events = new EventSource(live.dataset.live);
      events.addEventListener("panel", (event) => { live.innerHTML = event.data; });
      events.addEventListener("end", () => { events.close(); location.reload(); });
    }

    /* Keys: data-key names the key of a button, a link or a text. Escape leaves a text. */
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const field = event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select");
      if (field) {
        if (event.key === "Escape") field.blur();
        return;
      }
      const wanted = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key);
      if (!wanted || wanted.disabled) return;
      event.preventDefault();
      if (wanted.matches("textarea, input")) wanted.focus();
      else wanted.click();
    });

    /* Labelling: show a blurred image, and fetch the next image early. */
    document.querySelector("[data-reveal]")?.addEventListener("click", () => {
      document.querySelector("[data-blur]").classList.toggle("blurred");
    });
    const next = document.querySelector("[data-next]");
    if (next) new Image().src = next.dataset.next;

    /* Judge a picture: dropped or chosen, shown, sent as it is. */
    const form = document.querySelector("[data-judge]");
    if (form) {
      const file = form.querySelector("input[type=file]");
      const preview = document.querySelector(".preview");
      const target = document.querySelector(".judged");
      const drop = form.querySelector(".drop");
      for (const name of ["dragover", "drop"]) drop.addEventListener(name, (event) => event.preventDefault());
      drop.addEventListener("drop", (event) => {
        file.files = event.dataTransfer.files;
        file.dispatchEvent(new Event("change"));
      });
      file.addEventListener("change", () => {
        target.textContent = "";
        preview.hidden = !file.files.length;
        if (file.files.length) preview.src = URL.createObjectURL(file.files[0]);
      });
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const values = new URLSearchParams(new FormData(form));
        const button = form.querySelector("button");
        button.disabled = true;
        target.textContent = "The judge is asked …";
        try {
          const reply = await fetch(`${form.dataset.judge}?${values}`, { method: "POST", body: file.files[0] });
          const page = new DOMParser().parseFromString(await reply.text(), "text/html");
          target.replaceChildren(...(reply.ok ? page.body : page.querySelector("main") ?? page.body).childNodes);
        } catch {
          target.textContent = "The server does not answer; start blpo view again.";
        }
        button.disabled = false;
      });
    }

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
